import { existsSync, readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import type { ApiServer, ControllerAccount, Region } from '../harness/index.ts';

/** The namespace of the ServiceAccounts whose reads the harness's API servers write into their audit logs. */
const audited = 'audited';

/** Makes kubeconfigs for a region, each with a token of its own, and Secrets of them. */
export class Registrar {
  readonly #region: Region;
  readonly #account: ControllerAccount;

  private constructor(region: Region, account: ControllerAccount) {
    this.#region = region;
    this.#account = account;
  }

  /** With a ServiceAccount in the region that may do what the controller needs in these namespaces. */
  static async create(region: Region, name: string, namespaces: readonly string[]): Promise<Registrar> {
    const { account } = await region.controlPlane.anotherAccount({ namespace: audited, name }, namespaces);
    return new Registrar(region, account);
  }

  /** A token that holds until it is revoked. */
  token(): Promise<{ token: string; revoke: () => Promise<void> }> {
    return this.#account.revocableToken();
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
    const { user } = this.#account;
    if (!existsSync(auditLog)) return [];
    return readFileSync(auditLog, 'utf8')
      .split('\n')
      .filter((line) => line.includes(user) && line.includes('"ResponseComplete"'))
      .flatMap((line) => {
        try {
          return [JSON.parse(line) as AuditEvent];
        } catch {
          // The last line, half written.
          return [];
        }
      })
      .filter((event) => event.user.username === user)
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
