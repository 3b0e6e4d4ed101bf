import { existsSync, readFileSync } from 'node:fs';
import { rbacObjects, defaultServiceAccount } from '../../src/cli/rbac.ts';
import { casskop } from '../../src/operators/casskop/casskop.ts';
import { hubAccess, regionAccess } from '../../src/runtime/access.ts';
import type { KubeObject } from '../../src/kube/objects.ts';
import type { ApiObject, ApiServer } from './api-server.ts';
import { HarnessError } from './errors.ts';
import { waitFor } from './wait-for.ts';

/** The name under which the controller under test stands in audit logs. */
export const controllerUser = userOf(defaultServiceAccount);

const plurals: Readonly<Record<string, string>> = {
  Namespace: '/api/v1/namespaces',
  ServiceAccount: 'serviceaccounts',
  ClusterRole: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  ClusterRoleBinding: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
  Role: 'roles',
  RoleBinding: 'rolebindings',
};
const tokenSeconds = 24 * 3600;
const effectTimeoutMs = 60_000;

export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
}

/**
 * Whom a controller is in one cluster: the ServiceAccount of `ringmaster rbac`, or another one in its place, with exactly
 * the rights that this command prints for the namespaces it was let into, and those of the hub if the cluster is one.
 */
export class ControllerAccount {
  /** The name under which it stands in audit logs. */
  readonly user: string;
  readonly #account: ServiceAccount;
  readonly #api: ApiServer;
  readonly #auditLog: string;
  /** Unix milliseconds since when each has been in effect. */
  readonly #admitted = new Map<string, number>();
  #hubSince: number | undefined;
  #revocable = 0;
  #isMade = false;
  /** Unix milliseconds. */
  readonly #starts: { readonly from: number; to: number }[] = [];
  #last: Promise<void> = Promise.resolve();

  constructor(api: ApiServer, auditLog: string, account: ServiceAccount = defaultServiceAccount) {
    this.user = userOf(account);
    this.#account = account;
    this.#api = api;
    this.#auditLog = auditLog;
  }

  /** Makes the account, which may do nothing in any namespace yet, and resolves with a token of it. */
  async create(signal: AbortSignal): Promise<string> {
    await this.#apply(signal);
    this.#isMade = true;
    return this.#request(undefined, signal);
  }

  /** One that holds until it is revoked, or until its day is over. */
  async revocableToken(): Promise<{ token: string; revoke: () => Promise<void> }> {
    const secrets = `/api/v1/namespaces/${this.#account.namespace}/secrets`;
    const name = `token-${this.#account.name}-${++this.#revocable}`;
    const { metadata } = await this.#api.post(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name } });
    const token = await this.#request({ apiVersion: 'v1', kind: 'Secret', name, uid: metadata.uid });
    return { token, revoke: async () => void (await this.#api.delete(`${secrets}/${name}`)) };
  }

  /** Lets the controller use a namespace, which may come later; resolves when that is in effect. */
  admit(namespace: string, signal?: AbortSignal): Promise<void> {
    return this.admitAll([namespace], signal);
  }

  /** The same for several at once. */
  admitAll(namespaces: readonly string[], signal?: AbortSignal): Promise<void> {
    return this.#inTurn(async () => {
      for (const each of namespaces) this.#admitted.set(each, Infinity);
      await this.#apply(signal);
      for (const namespace of namespaces) {
        await this.#untilAllowed({ namespace, name: namespace, resource: 'namespaces', verb: 'get' }, signal);
        if (await this.#exists(namespace)) {
          await this.#untilAllowed({ namespace, ...named(casskop.member), verb: 'watch' }, signal);
          this.#admitted.set(namespace, Date.now());
        }
      }
    });
  }

  /** Gives it the rights that it needs in its hub. */
  makeHub(signal?: AbortSignal): Promise<void> {
    return this.#inTurn(async () => {
      this.#hubSince = Infinity;
      await this.#apply(signal);
      const mcc = { group: 'ringmaster.dev', resource: 'multicassandraclusters' };
      await this.#untilAllowed({ ...mcc, verb: 'watch' }, signal);
      const { namespace } = this.#account;
      await this.#untilAllowed({ namespace, resource: 'secrets', verb: 'watch' }, signal);
      this.#hubSince = Date.now();
    });
  }

  /**
   * The API server starts, and forbids everything until it has read its roles; resolves when it has.
   * @param untilReady resolves when it serves
   */
  async whileStarting(untilReady: Promise<void>, signal: AbortSignal): Promise<void> {
    const start = { from: Date.now(), to: Infinity };
    this.#starts.push(start);
    await untilReady;
    if (this.#isMade)
      await this.#untilAllowed(
        { namespace: 'kube-system', name: 'kube-system', resource: 'namespaces', verb: 'get' },
        signal,
      );
    start.to = Date.now();
  }

  /** What the controller was refused for want of a right that its roles should have given it. */
  refusals(): string[] {
    if (!existsSync(this.#auditLog)) return [];
    return readFileSync(this.#auditLog, 'utf8')
      .split('\n')
      .filter((line) => line.includes(this.user) && line.includes('forbid'))
      .map((line) => JSON.parse(line) as AuditedRefusal)
      .filter(({ user, annotations }) => {
        return user.username === this.user && annotations?.['authorization.k8s.io/decision'] === 'forbid';
      })
      .filter(({ objectRef, requestReceivedTimestamp }) => {
        const at = Date.parse(requestReceivedTimestamp);
        // Secrets of its own namespace register regions; those of others are for members.
        const isOwn = objectRef?.namespace === this.#account.namespace;
        const isHubs =
          /^(multicassandraclusters|leases)$/.test(objectRef?.resource ?? '') ||
          (isOwn && objectRef?.resource === 'secrets');
        const since = isHubs ? this.#hubSince : this.#admitted.get(objectRef?.namespace ?? '');
        if (this.#starts.some(({ from, to }) => from <= at && at <= to)) return false;
        return at > (since ?? (objectRef?.namespace === undefined && !isHubs ? 0 : Infinity));
      })
      .map(({ verb, requestURI }) => `${verb} ${requestURI}`);
  }

  /** A token; with `boundObjectRef`, one that holds no longer than that object lives. */
  async #request(boundObjectRef?: Record<string, unknown>, signal?: AbortSignal): Promise<string> {
    const { namespace, name } = this.#account;
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
    const spec = { expirationSeconds: tokenSeconds, ...(boundObjectRef && { boundObjectRef }) };
    const kind = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest' };
    const { status } = await this.#api.post<ApiObject & { status: { token: string } }>(path, { ...kind, spec }, signal);
    return status.token;
  }

  async #apply(signal?: AbortSignal): Promise<void> {
    const namespaces: string[] = [];
    for (const each of this.#admitted.keys()) if (await this.#exists(each)) namespaces.push(each);
    const region = rbacObjects({
      place: 'region',
      rules: regionAccess(casskop),
      namespaces: [...this.#admitted.keys()],
      serviceAccount: this.#account,
    });
    const hub = rbacObjects({ place: 'hub', rules: hubAccess, namespaces, serviceAccount: this.#account });
    const places = [...region, ...(this.#hubSince === undefined ? [] : hub)].map((object) => this.#apart(object));
    const isPossible = ({ metadata: { namespace } }: KubeObject): boolean =>
      namespace === undefined || namespace === this.#account.namespace || namespaces.includes(namespace);
    for (const object of places.filter(isPossible)) await this.#api.apply(pathOf(object), 'harness', object, signal);
  }

  /** The roles of a second account in the same cluster have names of their own. */
  #apart(object: KubeObject): KubeObject {
    const { namespace, name } = this.#account;
    if (this.user === controllerUser || !/Role/.test(object.kind ?? '')) return object;
    const suffix = `-${namespace}-${name}`;
    const { metadata, roleRef } = object as KubeObject & { roleRef?: { name: string } };
    return {
      ...object,
      metadata: { ...metadata, name: metadata.name + suffix },
      ...(roleRef && { roleRef: { ...roleRef, name: roleRef.name + suffix } }),
    };
  }

  async #exists(namespace: string): Promise<boolean> {
    return (await this.#api.find(`/api/v1/namespaces/${namespace}`)) !== undefined;
  }

  /** Roles take effect when the API server has seen them by its own watch. */
  async #untilAllowed(resourceAttributes: Record<string, string>, signal?: AbortSignal): Promise<void> {
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user: this.user, resourceAttributes },
    };
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
    await waitFor(
      async () => (await this.#api.post<{ status: { allowed: boolean } }>(path, review, signal)).status.allowed,
      {
        what: `the controller to be allowed to ${JSON.stringify(resourceAttributes)}`,
        timeoutMs: effectTimeoutMs,
        intervalMs: 20,
        ...(signal && { signal }),
      },
    );
  }

  /** Two at once could each put a ClusterRole in place that lacks the other's namespace. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}

/** @throws HarnessError ControllerRefused when a controller's roles were not enough for what it did. */
export function assertNothingRefused(
  clusters: readonly { name: string; accounts: readonly ControllerAccount[] }[],
): void {
  const refused = clusters.flatMap(({ name, accounts }) =>
    accounts.flatMap((account) => [...new Set(account.refusals())].map((refusal) => `${name}: ${refusal}`)),
  );
  if (refused.length === 0) return;
  const shown = refused.slice(0, 10).join('\n');
  throw new HarnessError('ControllerRefused', `The controller's roles do not allow what it does:\n${shown}`);
}

/** The name under which a ServiceAccount stands in audit logs. */
export function userOf({ namespace, name }: ServiceAccount): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

function pathOf({ kind = '', metadata: { name, namespace } }: KubeObject): string {
  const plural = plurals[kind] ?? '';
  if (namespace === undefined) return `${plural}/${name}`;
  const group = kind === 'ServiceAccount' ? '/api/v1' : '/apis/rbac.authorization.k8s.io/v1';
  return `${group}/namespaces/${namespace}/${plural}/${name}`;
}

function named({ group, plural }: { group: string; plural: string }): { group: string; resource: string } {
  return { group, resource: plural };
}

interface AuditedRefusal {
  verb: string;
  requestURI: string;
  user: { username: string };
  annotations?: Record<string, string>;
  objectRef?: { namespace?: string; resource?: string };
  requestReceivedTimestamp: string;
}
