import { chmodSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { defaultServiceAccount } from '../../src/cli/rbac.ts';

/**
 * Who may do everything in a region's API server. Each part of the harness has a user of its own, so that the audit log
 * says who wrote what: `admin` is the person and the tests, `kubelet` and `regional-operator` are the harness's actors.
 */
export const powerfulUsers = ['admin', 'kubelet', 'regional-operator'] as const;
/** `ringmaster` is the controller under test: a ServiceAccount, see controller-account.ts. */
export type User = (typeof powerfulUsers)[number] | 'ringmaster';

/** The part of a region that a kubeconfig needs. */
export interface KubeconfigRegion {
  readonly name: string;
  readonly url: string;
  /** PEM. */
  readonly authority: string;
  readonly tokens: Readonly<Record<User, string>>;
}

/** Writes a kubeconfig with one context per region, named like the region; the first one is current. */
export function writeKubeconfig(file: string, user: User, regions: readonly KubeconfigRegion[]): void {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: regions.map(({ name, url, authority }) => ({
      name,
      cluster: { server: url, 'certificate-authority-data': Buffer.from(authority).toString('base64') },
    })),
    users: regions.map(({ name, tokens }) => ({ name: `${name}-${user}`, user: { token: tokens[user] } })),
    contexts: regions.map(({ name }) => ({
      name,
      context: {
        cluster: name,
        user: `${name}-${user}`,
        namespace: user === 'ringmaster' ? defaultServiceAccount.namespace : 'default',
      },
    })),
    'current-context': regions[0]?.name,
  };
  writeFileSync(file, stringify(config), { mode: 0o600 });
}

/** Writes a `kubectl` that knows the run's regions: `kubectl --context us get pods`. */
export function writeKubectlWrapper(file: string, kubectl: readonly string[], kubeconfig: string): void {
  const quoted = kubectl.map((part) => `'${part}'`).join(' ');
  writeFileSync(file, `#!/bin/sh\nKUBECONFIG='${kubeconfig}' exec ${quoted} "$@"\n`);
  chmodSync(file, 0o755);
}
