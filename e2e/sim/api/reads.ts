import type { KubeObject } from '../../../src/kube/objects.ts';
import type { Collection } from './collection.ts';
import type { Query, Target } from './paths.ts';
import type { ApiResponse } from './request.ts';
import { selection, type Matches } from './selectors.ts';
import * as status from './status.ts';

/** Which state of a collection is to be read: `version` undefined is the newest. */
interface Snapshot {
  version: number | undefined;
  startAfter: string | undefined;
}

/** One object. A resourceVersion asks for a state that is at least as new. */
export function get(collection: Collection, target: Target, query: Query, version: number): ApiResponse {
  const refused = refusedVersion(query['resourceVersion'], version);
  if (refused) return refused;
  const { name = '' } = target;
  const entry = collection.find(target.namespace, name);
  return entry ? { status: 200, body: entry.object } : status.notFound(collection.resource, name);
}

/** A list, or one page of it. The pages that follow show the state of the first. */
export function list(collection: Collection, target: Target, query: Query, version: number): ApiResponse {
  const matches = matchesOf(collection, query);
  if (typeof matches === 'object') return matches;
  const snapshot = snapshotOf(collection, query, version);
  if ('status' in snapshot) return snapshot;

  const { namespace } = target;
  // Any state will do for version 0, and the one at hand is given whole.
  const limit = query['resourceVersion'] === '0' ? 0 : Number(query['limit'] ?? 0);
  const items: object[] = [];
  let next: string | undefined;
  let last = '';
  let remaining = 0;
  const all = snapshot.version === undefined ? collection.sorted() : collection.at(snapshot.version);
  for (const { key, object } of all) {
    if (snapshot.startAfter !== undefined && key <= snapshot.startAfter) continue;
    if (namespace !== undefined && object.metadata.namespace !== namespace) continue;
    if (matches && !matches(object)) continue;
    if (limit > 0 && items.length === limit) {
      next ??= last;
      remaining++;
      continue;
    }
    items.push(collection.isCustom ? object : itemOf(object));
    last = key;
  }
  const shown = snapshot.version ?? version;
  const metadata = {
    resourceVersion: String(shown),
    ...(next !== undefined && { continue: tokenOf(shown, next) }),
    // A list of custom resources says so even when nothing is left.
    ...(next === undefined && collection.isCustom && { continue: '' }),
    // With a selector a server does not count what is left.
    ...(next !== undefined && !matches && { remainingItemCount: remaining }),
  };
  const { kind } = collection.resource;
  return { status: 200, body: { kind: `${kind}List`, apiVersion: collection.apiVersion, metadata, items } };
}

/** What the selectors of a request ask for, or what is wrong with them. */
export function matchesOf(collection: Collection, query: Query): Matches | ApiResponse | undefined {
  const { labelSelector, fieldSelector } = query;
  if (!labelSelector && !fieldSelector) return undefined;
  const fields = ['metadata.name', 'metadata.namespace', ...collection.traits.selectableFields];
  try {
    return selection(labelSelector, fieldSelector, fields, collection.isCustom);
  } catch (error) {
    if (error instanceof RangeError) return status.badRequest(error.message);
    throw error;
  }
}

const items = new WeakMap<KubeObject, object>();

/** The items of a built-in kind's list come without their kind, which stands once over the list. */
function itemOf(object: KubeObject): object {
  let item = items.get(object);
  if (!item) {
    const { apiVersion: _, kind: __, ...rest } = object;
    items.set(object, (item = rest));
  }
  return item;
}

function snapshotOf(collection: Collection, query: Query, version: number): Snapshot | ApiResponse {
  const { resourceVersion = '', resourceVersionMatch: match } = query;
  const field = 'resourceVersionMatch';
  if (match && resourceVersion === '') {
    const words = `Forbidden: ${field} is forbidden unless resourceVersion is provided`;
    return status.invalidListOptions(field, 'FieldValueForbidden', words);
  }
  if (match === 'Exact' && resourceVersion === '0') {
    const words = `Forbidden: ${field} "exact" is forbidden for resourceVersion "0"`;
    return status.invalidListOptions(field, 'FieldValueForbidden', words);
  }
  if (match && match !== 'Exact' && match !== 'NotOlderThan') {
    const words = `Unsupported value: "${match}": supported values: "Exact", "NotOlderThan", ""`;
    return status.invalidListOptions(field, 'FieldValueNotSupported', words);
  }
  if (query['continue']) {
    if (resourceVersion !== '' && resourceVersion !== '0') {
      return status.badRequest('specifying resource version is not allowed when using continue');
    }
    const token = readToken(query['continue']);
    if (!token) return status.badRequest('invalid continue token: continue key is not valid');
    return token.version < collection.forgotten
      ? status.expired(
          'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.',
        )
      : { version: token.version, startAfter: token.startAfter };
  }
  const refused = refusedVersion(resourceVersion, version);
  if (refused) return refused;
  const isExact = match === 'Exact' || (match === undefined && Number(query['limit'] ?? 0) > 0);
  const wanted = Number(resourceVersion);
  if (resourceVersion === '' || wanted === 0 || !isExact) return { version: undefined, startAfter: undefined };
  return wanted < collection.forgotten
    ? status.expired(`The resourceVersion for the provided list is too old.`)
    : { version: wanted, startAfter: undefined };
}

function refusedVersion(wanted: string | undefined, version: number): ApiResponse | undefined {
  if (wanted === undefined || wanted === '') return undefined;
  if (!/^\d+$/.test(wanted)) return status.invalidVersion(wanted);
  return Number(wanted) > version ? status.tooLargeVersion(Number(wanted), version) : undefined;
}

function tokenOf(version: number, startAfter: string): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: version, start: `${startAfter}\0` })).toString(
    'base64url',
  );
}

function readToken(token: string): { version: number; startAfter: string } | undefined {
  try {
    const { rv, start } = JSON.parse(Buffer.from(token, 'base64url').toString()) as { rv: number; start: string };
    return { version: rv, startAfter: start.slice(0, -1) };
  } catch {
    return undefined;
  }
}
