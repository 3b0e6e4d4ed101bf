import type { HttpRequest, HttpResponse, Transport } from '../edges/transport.ts';
import { KubeError } from '../kube/errors.ts';

/** What every region is asked for outside of namespaces: whether it is there, which cluster it is, what it can. */
const clusterWide = /^\/(?:readyz|version|apis\/apiextensions\.k8s\.io\/v1\/customresourcedefinitions\/[a-z0-9.-]+)$/;

/**
 * Lets through what one namespace of a region is about, and nothing else. It looks at the path that goes out, so it holds
 * whatever the layers above were led to ask for.
 */
export class NamespaceFence implements Transport {
  readonly #inner: Transport;
  readonly #namespace: string;
  readonly #problem: () => string | undefined;

  /** `problem` says why nothing may be sent at all any more, if so; it is asked before every request. */
  constructor(inner: Transport, namespace: string, problem: () => string | undefined) {
    this.#inner = inner;
    this.#namespace = namespace;
    this.#problem = problem;
  }

  /** @throws KubeError `Forbidden` for what lies outside; nothing was sent then. */
  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    const problem = this.#problem();
    if (problem !== undefined) throw new KubeError('Forbidden', `${request.method} ${request.path}: ${problem}`);
    if (!isInside(request, this.#namespace)) {
      throw new KubeError(
        'Forbidden',
        `${request.method} ${request.path}: this client reaches namespace ${this.#namespace} only`,
      );
    }
    return this.#inner.send(request, signal);
  }
}

function isInside({ method, path }: HttpRequest, namespace: string): boolean {
  const [beforeQuery = ''] = path.split(/[?#]/);
  const segments = beforeQuery.split('/').slice(1);
  if (segments.some(leadsAstray)) return false;
  const isRead = method === 'GET';
  if (isRead && clusterWide.test(beforeQuery)) return true;
  const [root, group, ...rest] = segments;
  // /api/v1/namespaces/<name>/... and /apis/<group>/<version>/namespaces/<name>/...
  const scoped = root === 'api' ? rest : root === 'apis' ? rest.slice(1) : [];
  if (scoped[0] !== 'namespaces' || group === undefined) return false;
  if (scoped.length === 2) return isRead && root === 'api' && (scoped[1] === namespace || scoped[1] === 'kube-system');
  return scoped[1] === namespace && scoped[2] !== '';
}

/** Dots, or slashes that hide in an escape: a server or a proxy on the way may read another path than this one. */
function leadsAstray(segment: string): boolean {
  let text: string;
  try {
    text = decodeURIComponent(segment);
  } catch {
    return true;
  }
  return text === '.' || text === '..' || /[/\\\0\r\n]/.test(text);
}
