import { type Clock, sleep, withDeadline } from '../edges/clock.ts';
import type { Random } from '../edges/random.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ClusterContext } from '../kube/contexts.ts';
import type { CredentialLife } from '../kube/credential-life.ts';
import { resources } from '../kube/objects.ts';
import { Backoff } from '../kube/recovery.ts';
import type { ClosableTransport } from '../kube/rotating-transport.ts';
import type { Logger } from '../telemetry/logger.ts';
import { FencedRegion, type MakeClient } from './region-handle.ts';
import type { Registration, Renewal } from './registration.ts';
import type { Tenancy } from './tenancy.ts';

export interface Connecting {
  /** Connections to a cluster; nothing is sent by it. */
  connect: (context: ClusterContext) => ClosableTransport;
  makeClient: MakeClient;
  clock: Clock;
  random: Random;
  logger: Logger;
  /** Told how long each request waited for its turn, milliseconds. */
  onLimited?: (host: string, method: string, waitedMs: number) => void;
}

export interface ConnectedRegionOptions extends Connecting {
  registration: Registration;
  /** The hub: it stays the cluster it is, whatever is registered. */
  isHub: boolean;
  /** Called when the connections were replaced, or `problem` says something else. */
  onChange: (what: 'rotated' | 'rotation failed') => void;
  /** What is registered now works and is another cluster: this handle is of no use any more. */
  onOtherCluster: () => void;
}

/** How long a cluster may take to say who it is, milliseconds. */
const identifyDeadlineMs = 10_000;
/** Waits between attempts; a region that is down is asked no more often than its reflectors ask. */
const backoff = { firstMs: 1_000, maxMs: 10_000, resetMs: 120_000, slowMs: 10_000, serverMaxMs: 60_000 };

/**
 * A registered region. When it is registered anew with other credentials or another address, the new connections are
 * tried first and take the place of the old ones under the same client, so that watches go on from where they are.
 */
export class ConnectedRegion extends FencedRegion {
  readonly #options: ConnectedRegionOptions;
  readonly #ended = new AbortController();
  readonly #backoff: Backoff;
  /** What is in use. */
  #registration: Registration;
  /** What was registered since, and has not been tried with success. */
  #candidate: Registration | undefined;
  #tenancy: Tenancy;
  #problem: string | undefined;
  /** uid of kube-system, once the cluster has said it. */
  #clusterUid: string | undefined;
  #wake = new AbortController();

  constructor(options: ConnectedRegionOptions) {
    const { registration, connect, makeClient, clock, random } = options;
    super(registration.name, connect(registration.context), makeClient, {
      clock,
      random,
      onLimited: (method, waitedMs) => options.onLimited?.(this.host, method, waitedMs),
    });
    this.#options = options;
    this.#registration = registration;
    this.#tenancy = registration.tenancy;
    this.#backoff = new Backoff(backoff, options.random);
  }

  get origin(): string {
    return this.#registration.origin;
  }

  get host(): string {
    return new URL(this.#registration.context.server).host;
  }

  get namespace(): string {
    return this.#registration.context.namespace;
  }

  get tenancy(): Tenancy {
    return this.#tenancy;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  get life(): CredentialLife | undefined {
    return this.#registration.context.life;
  }

  get renewal(): Renewal | undefined {
    return this.#registration.renewal;
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Takes note of what is registered under this name now. Answers whether who may use it has changed. */
  register(registration: Registration): boolean {
    const latest = this.#candidate ?? this.#registration;
    if (registration.fingerprint !== latest.fingerprint) {
      const isInUse = registration.fingerprint === this.#registration.fingerprint;
      this.#candidate = isInUse ? undefined : registration;
      this.#wake.abort();
    }
    this.#problem = this.#candidate && this.#problem;
    if (!this.#candidate) this.#registration = registration;
    return this.allow(registration.tenancy);
  }

  /** What is registered now cannot even be tried. */
  refuse(problem: string): void {
    this.#candidate = undefined;
    this.#problem = problem;
    this.#wake.abort();
  }

  /** Answers whether that is something else than before. */
  allow(tenancy: Tenancy): boolean {
    const isSame = describe(tenancy) === describe(this.#tenancy);
    this.#tenancy = tenancy;
    return !isSame;
  }

  /** A name or an address may lead to another cluster by itself, with nothing registered anew. */
  identified(clusterUid: string): void {
    if (this.#clusterUid === undefined || clusterUid === this.#clusterUid) return;
    if (this.#options.isHub) this.#say(this.#otherThanHub(clusterUid));
    else this.#options.onOtherCluster();
  }

  /** Ends it: the connections are closed, and nobody may use what it said. */
  end(): void {
    this.#ended.abort(new Error(`region ${this.name} is not registered any more`));
    this.#wake.abort();
  }

  /** Runs until `signal` aborts or it is ended, then resolves with its connections closed. */
  async run(outer: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([outer, this.#ended.signal]);
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const interrupted = AbortSignal.any([signal, this.#wake.signal]);
      const isDone = this.#candidate ? await this.#try(this.#candidate, interrupted) : await this.#learn(interrupted);
      if (interrupted.aborted) continue;
      if (isDone) await untilAborted(interrupted);
      else await this.#pause(interrupted);
    }
    await this.connections.close();
  }

  protected connectAnew(): ClosableTransport {
    return this.#options.connect(this.#registration.context);
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const delayMs = this.#backoff.next({ pace: 'backoff', leastMs: 0 }, clock.monotonic());
    await sleep(clock, delayMs, signal).catch(() => undefined);
  }

  /** Asks the cluster in use who it is. */
  async #learn(signal: AbortSignal): Promise<boolean> {
    if (this.#clusterUid !== undefined) return true;
    // Why it does not answer is for those to say who ask it all the time.
    this.#clusterUid = await identify(this.client, this.#options.clock, signal).catch(() => undefined);
    return this.#clusterUid !== undefined;
  }

  /** Tries what was registered since. Resolves with whether there is nothing left to do. */
  async #try(candidate: Registration, signal: AbortSignal): Promise<boolean> {
    const { connect, makeClient, clock, logger, isHub, onChange, onOtherCluster } = this.#options;
    const { name } = this;
    const transport = connect(candidate.context);
    const client = makeClient(name, transport, () => new URL(candidate.context.server).host);
    let clusterUid: string;
    try {
      clusterUid = await identify(client, clock, signal);
    } catch (error) {
      await transport.close();
      if (signal.aborted) return false;
      this.#say(`what is registered now does not work: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
    const isKnown = this.#clusterUid !== undefined || isHub;
    if (!isKnown || clusterUid !== (this.#clusterUid ?? clusterUid)) {
      await transport.close();
      if (signal.aborted) return false;
      if (isHub) {
        this.#say(this.#otherThanHub(clusterUid));
        return false;
      }
      onOtherCluster();
      return true;
    }
    if (signal.aborted) {
      await transport.close();
      return false;
    }
    this.#clusterUid = clusterUid;
    this.#registration = candidate;
    this.#candidate = undefined;
    this.#problem = undefined;
    this.connections.replace(transport, 'the region was registered anew');
    logger.info('a region is reached in the way it is registered now', { region: name, origin: candidate.origin });
    onChange('rotated');
    return true;
  }

  #otherThanHub(clusterUid: string): string {
    return `what is registered now leads to another cluster (kube-system uid ${clusterUid}) than the hub (${this.#clusterUid}); start anew for another hub`;
  }

  #say(problem: string): void {
    if (this.#problem === problem) return;
    this.#problem = problem;
    this.#options.logger.warn('a region is still reached in the way it was registered before', {
      region: this.name,
      problem,
    });
    this.#options.onChange('rotation failed');
  }
}

/**
 * The uid of kube-system: the cluster's identity.
 * @throws KubeError, or Error when the API server is not ready.
 */
export async function identify(
  client: Pick<KubeClient, 'get' | 'getPath'>,
  clock: Clock,
  signal: AbortSignal,
): Promise<string> {
  using deadline = withDeadline(clock, identifyDeadlineMs, signal);
  const { status, body } = await client.getPath('/readyz', deadline.signal);
  if (status !== 200) throw new Error(`its API server answers ${status} ${body.slice(0, 200).trim()}`);
  const system = await client.get(resources.namespaces, { name: 'kube-system' }, deadline.signal);
  if (!system.metadata.uid) throw new Error('its namespace kube-system has no uid');
  return system.metadata.uid;
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function describe({ hubNamespaces, regionNamespaces }: Tenancy): string {
  return JSON.stringify(
    [hubNamespaces, regionNamespaces].map((each) => (typeof each === 'string' ? each : [...each].sort())),
  );
}
