import type { ObjectMeta, ResourceType } from '../../../src/kube/objects.ts';
import type { ApiResponse } from './request.ts';

/*
 * The answers that are no objects, with the reasons and words of kube-apiserver 1.36 (api/errors/errors.go); the
 * conformance suite compares them with the real ones.
 */

/** What is wrong, for machines and in words, and where. */
export interface Cause {
  reason: string;
  message: string;
  field: string;
}

interface Details {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: (Omit<Cause, 'field'> & { field?: string })[];
  retryAfterSeconds?: number;
}

/** What an answer of the server says about a kind: its plural, with the group for all but the core kinds. */
function qualified({ group, plural }: ResourceType): string {
  return group === '' ? plural : `${plural}.${group}`;
}

function detailsOf({ group, plural }: ResourceType, name: string): Details {
  return { name, ...(group !== '' && { group }), kind: plural };
}

export function failure(code: number, reason: string, message: string, details?: Details): ApiResponse {
  const body = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    ...(reason !== '' && { reason }),
    ...(details && { details }),
    code,
  };
  return { status: code, body };
}

/** What is answered where the server knows the group and the version, but not the rest. */
export const noSuchResource = failure(404, 'NotFound', 'the server could not find the requested resource', {});

/** What any other path that leads nowhere is answered with; not a Status. */
export const noSuchPath: ApiResponse = { status: 404, body: '404 page not found\n' };

export function notFound(resource: ResourceType, name: string): ApiResponse {
  return failure(404, 'NotFound', `${qualified(resource)} "${name}" not found`, detailsOf(resource, name));
}

export function alreadyExists(resource: ResourceType, name: string, isBeingDeleted: boolean): ApiResponse {
  const message = `${isBeingDeleted ? 'object is being deleted: ' : ''}${qualified(resource)} "${name}" already exists`;
  return failure(409, 'AlreadyExists', message, detailsOf(resource, name));
}

export function conflict(resource: ResourceType, name: string, words: string): ApiResponse {
  const message = `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${words}`;
  return failure(409, 'Conflict', message, detailsOf(resource, name));
}

/** A deletion is about another object than the one that is there, or about an earlier state of it. */
export function deletionConflict(resource: ResourceType, name: string, words: string): ApiResponse {
  return conflict({ ...resource, plural: resource.kind }, name, words);
}

export const modifiedSince =
  'the object has been modified; please apply your changes to the latest version and try again';

/** An apply without force meets fields of other managers, described as `"name" using v1`. */
export function applyConflict(fields: readonly { manager: string; path: string }[]): ApiResponse {
  const byManager = Map.groupBy(fields, ({ manager }) => manager);
  const groups = [...byManager].sort(([one], [other]) => (one < other ? -1 : 1));
  const lists = groups.map(([manager, each]) => [`conflicts with ${manager}:`, ...each.map(({ path }) => `- ${path}`)]);
  const [only] = fields;
  const words =
    only && fields.length === 1
      ? `1 conflict: conflict with ${only.manager}: ${only.path}`
      : `${fields.length} conflicts: ${lists.flat().join('\n')}`;
  const causes = fields.map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${manager}`,
    field: path,
  }));
  return failure(409, 'Conflict', `Apply failed with ${words}`, { causes });
}

/** An apply of a field that the kind does not have. */
export function undeclaredField(
  { group, version, kind }: ResourceType,
  { name, namespace = '' }: ObjectMeta,
  path: string,
): ApiResponse {
  const object = `${namespace}/${name}; ${group}/${version}, Kind=${kind}`;
  const message = `failed to create typed patch object (${object}): ${path}: field not declared in schema`;
  return failure(500, '', message);
}

/** An apply that does not say who applies. */
export const managerRequired = invalid(
  { group: 'meta.k8s.io', version: 'v1', plural: '', kind: 'PatchOptions', namespaced: false },
  '',
  {
    reason: 'FieldValueRequired',
    message: 'Required value: is required for apply patch',
    field: 'fieldManager',
  },
);

/** `causes`: a field, what is wrong with it, in the words of the server, and its machine-readable reason. */
export function invalid(resource: ResourceType, name: string, ...causes: Cause[]): ApiResponse {
  const words = causes.map(({ field, message }) => `${field}: ${message}`);
  const different = [...new Set(words)];
  const all = different.length === 1 ? different[0] : `[${different.join(', ')}]`;
  const { group, kind } = resource;
  const message = `${group === '' ? kind : `${kind}.${group}`} "${name}" is invalid: ${all}`;
  return failure(422, 'Invalid', message, { ...(name && { name }), ...(group !== '' && { group }), kind, causes });
}

/** A POST of an object that has a resourceVersion already. */
export const versionOnCreate = failure(500, '', 'resourceVersion should not be set on objects to be created');

/** A PUT without a resourceVersion of a kind that wants one. This one answer names the kind by its plural. */
export function versionRequired(resource: ResourceType, name: string): ApiResponse {
  const words = 'Invalid value: 0: must be specified for an update';
  const cause = { reason: 'FieldValueInvalid', message: words, field: 'metadata.resourceVersion' };
  return invalid({ ...resource, kind: resource.plural }, name, cause);
}

/** A JSON patch that cannot be carried out, be it for a test that fails or a path that is missing. */
export const unprocessable = failure(
  422,
  'Invalid',
  'the server rejected our request due to an error in our request',
  {},
);

export function badRequest(message: string): ApiResponse {
  return failure(400, 'BadRequest', message);
}

export function forbidden(resource: ResourceType, name: string, words: string, causes?: Cause[]): ApiResponse {
  const message = `${qualified(resource)} "${name}" is forbidden: ${words}`;
  return failure(403, 'Forbidden', message, { ...detailsOf(resource, name), ...(causes && { causes }) });
}

export const methodNotAllowed = failure(
  405,
  'MethodNotAllowed',
  'the server does not allow this method on the requested resource',
);

export const unsupportedPatch = failure(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});

export function expired(message: string): ApiResponse {
  return failure(410, 'Expired', message);
}

/** A reader wants to see at least a version that is yet to come. */
export function tooLargeVersion(wanted: number, current: number): ApiResponse {
  return failure(504, 'Timeout', `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

/** A resourceVersion that is no number. */
export function invalidVersion(version: string): ApiResponse {
  return badRequest(`invalid resource version: ${invalidVersionWords(version)}`);
}

/** A watch from a resourceVersion that is no number. */
export function invalidWatchVersion(version: string): ApiResponse {
  return failure(500, '', invalidVersionWords(version));
}

function invalidVersionWords(version: string): string {
  return `resourceVersion: Invalid value: "${version}": strconv.ParseUint: parsing "${version}": invalid syntax`;
}

/** A list that asks for what makes no sense. */
export function invalidListOptions(field: string, reason: string, message: string): ApiResponse {
  const resource = { group: 'meta.k8s.io', version: 'v1', plural: '', kind: 'ListOptions', namespaced: false };
  return invalid(resource, '', { reason, message, field });
}

/** What a deletion that is done is answered with. */
export function deleted(resource: ResourceType, name: string, uid: string | undefined): ApiResponse {
  const details = { ...detailsOf(resource, name), ...(uid !== undefined && { uid }) };
  return { status: 200, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details } };
}

/** What a binding is answered with. */
export const bound: ApiResponse = {
  status: 201,
  body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 },
};
