import { parseDocument, stringify } from 'yaml';
import { parseKubeconfig, partsOf } from '../kube/contexts.ts';

/** Where a cluster is, and how to tell it from an impostor. */
export interface ServerParts {
  readonly server: string;
  /** PEM; absent: an authority that every machine knows. */
  readonly authority?: string;
  /** The name in its certificate, where that is not the host's. */
  readonly serverName?: string;
}

/** A kubeconfig with one context, called `region`: all of it inlined, so that it may stand in a Secret. */
export function kubeconfigWith(region: string, { server, authority, serverName }: ServerParts, token: string): string {
  const cluster = {
    server,
    ...(authority !== undefined && { 'certificate-authority-data': Buffer.from(authority).toString('base64') }),
    ...(serverName !== undefined && { 'tls-server-name': serverName }),
  };
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: region, cluster }],
      users: [{ name: 'ringmaster', user: { token } }],
      contexts: [{ name: region, context: { cluster: region, user: 'ringmaster' } }],
      'current-context': region,
    },
    { lineWidth: 0 },
  );
}

/**
 * The token that the kubeconfig's current context presents, if it is one.
 * @throws ContextError for what is no kubeconfig, or an incomplete one.
 */
export function tokenIn(text: string, origin: string): string | undefined {
  const { token } = partsOf(parseKubeconfig(text, origin), undefined, origin).user;
  return typeof token === 'string' && token !== '' ? token : undefined;
}

/**
 * The same kubeconfig, whose current context presents another token.
 * @throws ContextError as {@link tokenIn}
 */
export function withToken(text: string, token: string, origin: string): string {
  const config = parseKubeconfig(text, origin);
  const { name } = partsOf(config, undefined, origin);
  const user = config.contexts?.find((each) => each.name === name)?.context.user;
  const index = config.users?.findIndex((each) => each.name === user) ?? -1;
  // Order and comments stay, so that nothing else counts as changed.
  const document = parseDocument(text);
  document.setIn(['users', index, 'user', 'token'], token);
  return document.toString({ lineWidth: 0 });
}
