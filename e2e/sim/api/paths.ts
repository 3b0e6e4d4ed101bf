/** What a path means, before it is known whether such a kind exists. */
export interface Target {
  group: string;
  version: string;
  plural: string;
  namespace: string | undefined;
  name: string | undefined;
  subresource: string | undefined;
}

/** The query parameters by name; the first of each counts. */
export type Query = Readonly<Record<string, string | undefined>>;

export interface ParsedPath {
  /** Undefined for a path outside the resource tree, such as /readyz. */
  target: Target | undefined;
  pathname: string;
  query: Query;
}

/** Entries kept of each cache; a simulation uses some hundred paths over and over. */
const cacheLimit = 20_000;
const targets = new Map<string, Target | undefined>();
const queries = new Map<string, Query>();
const noQuery: Query = {};

/** Takes a request's path apart. */
export function parsePath(path: string): ParsedPath {
  const mark = path.indexOf('?');
  const pathname = mark < 0 ? path : path.slice(0, mark);
  const query = mark < 0 ? noQuery : cached(queries, path.slice(mark + 1), parseQuery);
  return { target: cached(targets, pathname, parseTarget), pathname, query };
}

function cached<T>(cache: Map<string, T>, key: string, make: (key: string) => T): T {
  const found = cache.get(key);
  if (found !== undefined || cache.has(key)) return found as T;
  if (cache.size >= cacheLimit) cache.clear();
  const made = make(key);
  cache.set(key, made);
  return made;
}

function parseQuery(text: string): Query {
  const query: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(text)) query[name] ??= value;
  return query;
}

/**
 * `/api/v1/...` and `/apis/<group>/<version>/...`. A namespace's own path, `namespaces/<name>`, looks like the
 * beginning of the path of something inside it.
 */
function parseTarget(pathname: string): Target | undefined {
  const [, root, ...parts] = pathname.split('/').map((part) => decodeURIComponent(part));
  if (root !== 'api' && root !== 'apis') return undefined;
  const group = root === 'api' ? '' : parts.shift();
  const version = parts.shift();
  if (group === undefined || version === undefined || parts.length === 0 || parts.includes('')) return undefined;
  const [scope, within, plural] = parts;
  const inNamespace = scope === 'namespaces' && plural !== undefined && !namespaceSubresources.includes(plural);
  const rest = inNamespace ? parts.slice(2) : parts;
  const [kind = '', name, ...subresource] = rest;
  return {
    group,
    version,
    plural: kind,
    namespace: inNamespace ? within : undefined,
    name,
    subresource: subresource.length > 0 ? subresource.join('/') : undefined,
  };
}

const namespaceSubresources = ['status', 'finalize'];
