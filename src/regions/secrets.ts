import type { Clock } from '../edges/clock.ts';
import { perObject } from '../edges/per-object.ts';
import type { Random } from '../edges/random.ts';
import type { KubeClient } from '../kube/client.ts';
import { type KubeObject, resources } from '../kube/objects.ts';
import { Reflector } from '../kube/reflector.ts';
import { keyOf } from '../kube/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import { readServiceAccountToken } from '../kube/service-account-token.ts';
import { tokenIn } from './kubeconfig-token.ts';
import type { RefusedRegistration, Registration, RegistrationSource, Renewal } from './registration.ts';
import { readSecretKubeconfig } from './secret-kubeconfig.ts';
import { defaultTenancy, parseNamespaces, type Tenancy } from './tenancy.ts';

/** Secrets with one of these labels at "true" register a region; the second one is multicluster-runtime's. */
export const kubeconfigLabels = ['ringmaster.dev/kubeconfig', 'sigs.k8s.io/multicluster-runtime-kubeconfig'] as const;

/** The key of such a Secret that holds the kubeconfig. */
export const kubeconfigKey = 'kubeconfig';
/** What such a Secret may say beside it. */
export const registrationAnnotations = {
  region: 'ringmaster.dev/region',
  hubNamespaces: 'ringmaster.dev/hub-namespaces',
  regionNamespaces: 'ringmaster.dev/region-namespaces',
  /** Seconds after which its token is renewed, by a new one that lives as long; without it, never. */
  renewTokenAfter: 'ringmaster.dev/renew-token-after',
} as const;
/** What a region may be called; spec.regions[].context has to name it. */
export const regionName = /^[A-Za-z0-9]([A-Za-z0-9._:@/-]{0,251}[A-Za-z0-9])?$/;

export interface KubeconfigSecretsOptions {
  /** Of the hub. */
  client: Pick<KubeClient, 'list' | 'watch'>;
  /** The one namespace whose Secrets count. */
  namespace: string;
  clock: Clock;
  random: Random;
  logger: Logger;
  onRestart?: (cause: string) => void;
}

/** Regions from Secrets in one namespace of the hub. */
export class KubeconfigSecrets implements RegistrationSource {
  readonly #reflectors: readonly Reflector[];
  readonly #namespace: string;
  #onChange: () => void = () => undefined;

  constructor({ client, namespace, clock, random, logger, onRestart }: KubeconfigSecretsOptions) {
    this.#namespace = namespace;
    this.#reflectors = kubeconfigLabels.map(
      (label) =>
        new Reflector({
          client,
          resource: resources.secrets,
          selection: { namespace, labelSelector: `${label}=true` },
          clock,
          random,
          logger: logger.child({ resource: 'secrets', label }),
          onChange: () => this.#onChange(),
          onConnection: () => this.#onChange(),
          ...(onRestart && { onRestart }),
        }),
    );
  }

  get pending(): string | undefined {
    const unread = this.#reflectors.map(({ status }) => status).find(({ hasSynced }) => !hasSynced);
    if (!unread) return undefined;
    const why = unread.lastError?.message ?? 'they are on their way';
    return `the Secrets of namespace ${this.#namespace} in the hub that register regions are not read yet: ${why}`;
  }

  /** The oldest Secret first: who names a region that another one has already does not take it over. */
  read(): (Registration | RefusedRegistration)[] {
    const secrets = new Map(this.#reflectors.flatMap(({ store }) => store.list()).map((each) => [keyOf(each), each]));
    const age = ({ metadata }: KubeObject): string => `${metadata.creationTimestamp ?? ''} ${metadata.name}`;
    return [...secrets.values()].sort((one, other) => (age(one) < age(other) ? -1 : 1)).map((each) => register(each));
  }

  retryNow(): void {
    for (const reflector of this.#reflectors) reflector.retryNow();
  }

  async run(signal: AbortSignal, onChange: () => void): Promise<void> {
    this.#onChange = onChange;
    await Promise.all(this.#reflectors.map((reflector) => reflector.run(signal)));
  }
}

const register = perObject((secret: KubeObject): Registration | RefusedRegistration => {
  const { namespace = '', name: secretName, annotations: said = {} } = secret.metadata;
  const origin = `Secret ${namespace}/${secretName}`;
  const name = said[registrationAnnotations.region] ?? secretName;
  if (!regionName.test(name)) {
    const problem = `${origin}: annotation ${registrationAnnotations.region} is ${JSON.stringify(name)}, which is no name for a region`;
    return { name: undefined, origin, problem };
  }
  let tenancy: Tenancy | undefined;
  try {
    tenancy = tenancyOf(said);
    const encoded = (secret['data'] as Record<string, string> | undefined)?.[kubeconfigKey];
    if (encoded === undefined) throw new Error(`${origin}: it has no key ${kubeconfigKey}`);
    const text = Buffer.from(encoded, 'base64').toString('utf8');
    const renewal = renewalOf(secret, text);
    return { name, origin, ...readSecretKubeconfig(text, origin), tenancy, ...(renewal && { renewal }) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const problem = message.startsWith(origin) ? message : `${origin}: ${message}`;
    return { name, origin, problem, ...(tenancy && { tenancy }) };
  }
});

/** Whether and when its token is to be renewed. An annotation that cannot be read is none: the end of the token is told in time. */
function renewalOf({ metadata }: KubeObject, kubeconfig: string): Renewal | undefined {
  const { namespace = '', name, annotations = {} } = metadata;
  const afterSeconds = Number(annotations[registrationAnnotations.renewTokenAfter]);
  if (!(afterSeconds > 0)) return undefined;
  const claims = readServiceAccountToken(tokenIn(kubeconfig, name) ?? '');
  return claims && { secret: { namespace, name }, claims, afterMs: afterSeconds * 1000 };
}

/** @throws TenancyError naming the annotation */
function tenancyOf(said: Readonly<Record<string, string>>): Tenancy {
  const read = (annotation: string): ReturnType<typeof parseNamespaces> | undefined => {
    const list = said[annotation];
    try {
      return list === undefined ? undefined : parseNamespaces(list);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`annotation ${annotation}: ${message}`, { cause });
    }
  };
  return {
    hubNamespaces: read(registrationAnnotations.hubNamespaces) ?? defaultTenancy.hubNamespaces,
    regionNamespaces: read(registrationAnnotations.regionNamespaces) ?? defaultTenancy.regionNamespaces,
  };
}
