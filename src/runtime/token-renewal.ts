import { type Clock, sleep } from '../edges/clock.ts';
import { endsSoon } from '../kube/credential-life.ts';
import { isKubeError } from '../kube/errors.ts';
import { resources } from '../kube/objects.ts';
import { readServiceAccountToken } from '../kube/service-account-token.ts';
import { tokenIn, withToken } from '../regions/kubeconfig-token.ts';
import type { RegionHandle } from '../regions/region-handle.ts';
import type { Renewal } from '../regions/registration.ts';
import type { RegionRegistry } from '../regions/registry.ts';
import { kubeconfigKey } from '../regions/secrets.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Leadership } from './leadership.ts';

export interface TokenRenewalOptions {
  regions: Pick<RegionRegistry, 'hub' | 'names' | 'get' | 'onChange'>;
  /** Only who leads renews. */
  leadership: Pick<Leadership, 'term' | 'onTerm'>;
  clock: Clock;
  logger: Logger;
  /** Told what became of an attempt. */
  onEvent?: (region: string, event: 'renewed' | 'renewal failed') => void;
}

/** Longest time between two looks at what is due, and first and longest wait after a failure, milliseconds. */
const lookEveryMs = 60_000;
const retryFirstMs = 30_000;
const retryMaxMs = 15 * 60_000;

/** Whatever is asked for, this part of its life is left when a token is renewed. */
const leastLeftPart = 1 / 3;

interface Failure {
  readonly of: Renewal;
  readonly times: number;
  readonly retryAtMs: number;
  readonly why: string;
}

/**
 * Renews the tokens of regions that ask for it: the region's ServiceAccount asks for another token of its own, as long-lived as the one
 * before and bound to the same Secret there, and the leader puts it into the Secret of the hub. All that reach the region take it from
 * there, as if a person had registered it.
 */
export class TokenRenewal {
  readonly #options: TokenRenewalOptions;
  readonly #failures = new Map<string, Failure>();
  #wake = new AbortController();

  constructor(options: TokenRenewalOptions) {
    this.#options = options;
    options.regions.onChange(() => this.#wake.abort());
    options.leadership.onTerm(() => this.#wake.abort());
  }

  /** That a region's credentials end soon, when, and what to do about it; undefined where that is not so. */
  endOf({ name, life, renewal }: RegionHandle): string | undefined {
    if (!life || !endsSoon(life, this.#options.clock.now())) return undefined;
    const when = `its credentials end at ${new Date(life.untilMs).toISOString()}`;
    if (!renewal)
      return `${when}, and are not renewed by themselves: register new ones, or use ringmaster rotate ${name}`;
    const failure = this.#failures.get(name);
    return `${when}, and could not be renewed: ${failure?.why ?? 'nothing that leads has tried'}; use ringmaster rotate ${name}`;
  }

  /** Runs until `signal` aborts, then resolves. */
  async run(signal: AbortSignal): Promise<void> {
    const { regions, leadership, clock } = this.#options;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const interrupted = AbortSignal.any([signal, this.#wake.signal]);
      let waitMs = lookEveryMs;
      if (leadership.term) {
        const handles = regions.names().map((name) => regions.get(name));
        const waits = handles.map(async (handle) => {
          if (!handle || 'refused' in handle || !handle.renewal) return lookEveryMs;
          return this.#look(handle, handle.renewal, signal);
        });
        waitMs = Math.min(lookEveryMs, ...(await Promise.all(waits)));
      }
      await sleep(clock, waitMs, interrupted).catch(() => undefined);
    }
  }

  /** Renews a token if that is due. Resolves with how long it may wait until the next look, milliseconds. */
  async #look(handle: RegionHandle, renewal: Renewal, signal: AbortSignal): Promise<number> {
    const { clock, logger, onEvent } = this.#options;
    const { name } = handle;
    const before = this.#failures.get(name);
    const failure = before?.of.claims.issuedAtMs === renewal.claims.issuedAtMs ? before : undefined;
    if (!failure) this.#failures.delete(name);
    const dueMs = failure?.retryAtMs ?? dueAt(renewal);
    if (dueMs > clock.now()) return dueMs - clock.now();
    try {
      if (await this.#renew(handle, renewal, signal)) {
        this.#failures.delete(name);
        logger.info('the token of a region is renewed', { region: name });
        onEvent?.(name, 'renewed');
      }
      return lookEveryMs;
    } catch (error) {
      if (signal.aborted || isKubeError(error, 'NotLeader')) return lookEveryMs;
      const times = (failure?.times ?? 0) + 1;
      const waitMs = Math.min(retryMaxMs, retryFirstMs * 2 ** (times - 1));
      const why = error instanceof Error ? error.message : String(error);
      this.#failures.set(name, { of: renewal, times, retryAtMs: clock.now() + waitMs, why });
      logger.warn('the token of a region could not be renewed', { region: name, times, error });
      onEvent?.(name, 'renewal failed');
      return waitMs;
    }
  }

  /** Resolves with false when there is another token already. @throws KubeError, or ContextError for a Secret that is none of ours. */
  async #renew(handle: RegionHandle, { secret: ref, claims }: Renewal, signal: AbortSignal): Promise<boolean> {
    const hub = this.#options.regions.hub.client;
    const { namespace, name, issuedAtMs = 0, expiresAtMs = issuedAtMs, boundSecret } = claims;
    const secret = await hub.get(resources.secrets, ref, signal);
    const { uid, resourceVersion } = secret.metadata;
    const encoded = (secret['data'] as Record<string, string> | undefined)?.[kubeconfigKey] ?? '';
    const text = Buffer.from(encoded, 'base64').toString('utf8');
    const origin = `Secret ${ref.namespace}/${ref.name}`;
    const registered = readServiceAccountToken(tokenIn(text, origin) ?? '');
    if (registered?.issuedAtMs !== claims.issuedAtMs || registered?.expiresAtMs !== claims.expiresAtMs) return false;
    const expirationSeconds = Math.round((expiresAtMs - issuedAtMs) / 1000);
    const token = await handle.client.createToken(
      { namespace, name },
      { expirationSeconds, ...(boundSecret && { boundSecret }) },
      signal,
    );
    const value = Buffer.from(withToken(text, token, origin)).toString('base64');
    await hub.jsonPatch(
      resources.secrets,
      ref,
      [
        { op: 'test', path: '/metadata/uid', value: uid },
        { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
        { op: 'replace', path: `/data/${kubeconfigKey}`, value },
      ],
      signal,
    );
    return true;
  }
}

function dueAt({ claims: { issuedAtMs = 0, expiresAtMs }, afterMs }: Renewal): number {
  if (expiresAtMs === undefined) return Infinity;
  const lifeMs = expiresAtMs - issuedAtMs;
  return Math.min(issuedAtMs + afterMs, expiresAtMs - lifeMs * leastLeftPart);
}
