import { existsSync, readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import type { ApiObject, ApiServer, Region } from '../harness/index.ts';

/** The namespace of the ServiceAccounts whose reads the harness's API servers write into their audit logs. */
const audited = 'audited';

/** Makes kubeconfigs for a region, each with a token of its own, and Secrets of them. */
export class Registrar {
  readonly #region: Region;
  readonly user: string;
  #tokens = 0;

  private constructor(region: Region, name: string) {
    this.#region = region;
    this.user = `system:serviceaccount:${audited}:${name}`;
  }

  /** With a ServiceAccount in the region that may do everything. */
  static async create(region: Region, name: string): Promise<Registrar> {
    const { api } = region;
    await region.prepareNamespace(audited, { operator: false });
    await api.apply(`/api/v1/namespaces/${audited}/serviceaccounts/${name}`, 'test', {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name, namespace: audited },
    });
    await api.apply(`/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/${audited}-${name}`, 'test', {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: `${audited}-${name}` },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name, namespace: audited }],
    });
    return new Registrar(region, name);
  }

  /** A token that holds until it is revoked. */
  async token(): Promise<{ token: string; revoke: () => Promise<void> }> {
    const { api } = this.#region;
    const name = `${this.user.split(':').at(-1)}-${++this.#tokens}`;
    const secrets = `/api/v1/namespaces/${audited}/secrets`;
    const bound = await api.post(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name } });
    const request = await api.post<ApiObject & { status: { token: string } }>(
      `/api/v1/namespaces/${audited}/serviceaccounts/${this.user.split(':').at(-1)}/token`,
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          expirationSeconds: 86_400,
          boundObjectRef: { apiVersion: 'v1', kind: 'Secret', name, uid: bound.metadata.uid },
        },
      },
    );
    return {
      token: request.status.token,
      revoke: async () => {
        await api.delete(`${secrets}/${name}`);
      },
    };
  }

  /** A kubeconfig with this token; where the region is and by what authority, unless `at` says otherwise. */
  kubeconfig(token: string, at: { url?: string; authority?: string; user?: object } = {}): string {
    const { url = this.#region.url, authority = this.#region.controlPlane.authority } = at;
    const data = Buffer.from(authority).toString('base64');
    return stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: url, 'certificate-authority-data': data } }],
      users: [{ name: 'u', user: at.user ?? { token } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    });
  }

  /** What the ServiceAccount has asked of the region's API server so far, lists and watches included. */
  requests(): { verb: string; namespace: string | undefined; resource: string }[] {
    const { auditLog } = this.#region;
    if (!existsSync(auditLog)) return [];
    return readFileSync(auditLog, 'utf8')
      .split('\n')
      .filter((line) => line.includes(this.user) && line.includes('"ResponseComplete"'))
      .flatMap((line) => {
        try {
          return [JSON.parse(line) as AuditEvent];
        } catch {
          // The last line, half written.
          return [];
        }
      })
      .filter((event) => event.user.username === this.user)
      .map(({ verb, objectRef }) => ({ verb, namespace: objectRef?.namespace, resource: objectRef?.resource ?? '' }));
  }

  /** How often a kind that is watched was listed; ServiceAccounts are looked at now and then anyway. */
  lists(): number {
    return this.requests().filter(({ verb, resource }) => verb === 'list' && resource !== 'serviceaccounts').length;
  }
}

interface AuditEvent {
  verb: string;
  user: { username: string };
  objectRef?: { namespace?: string; resource?: string };
}

/** Writes a Secret that registers a region, as a person does. */
export async function registerBySecret(
  hub: ApiServer,
  namespace: string,
  name: string,
  kubeconfig: string,
  annotations: Record<string, string> = {},
): Promise<void> {
  await hub.apply(`/api/v1/namespaces/${namespace}/secrets/${name}`, 'kubectl', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, labels: { 'ringmaster.dev/kubeconfig': 'true' }, annotations },
    data: { kubeconfig: Buffer.from(kubeconfig).toString('base64') },
  });
}
