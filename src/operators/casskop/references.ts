import { at, isObject, type JsonObject } from '../../api/json.ts';
import { perObject } from '../../edges/per-object.ts';
import type { Reference } from '../operator.ts';

type Path = readonly (string | number)[];

/**
 * The Secrets and ConfigMaps that CassKop 2.3.4 writes into pods by their names. Not configMapName: the guard stands in its place. The Secret of
 * a backup is named by a CassandraBackup and not here; what its sidecar needs all the time stands among that one's envVars.
 */
export const namedObjects = perObject((spec: JsonObject): readonly Reference[] => [
  ...secretsIn(spec, ['imagePullSecret']),
  ...secretsIn(spec, ['imageJolokiaSecret']),
  ...inVariables(spec, ['envVars']),
  ...inVariables(spec, ['backRestSidecar', 'envVars']),
  ...listAt(spec, ['sidecarConfigs']).flatMap((_, index) => [
    ...inVariables(spec, ['sidecarConfigs', index, 'env']),
    ...inSources(spec, ['sidecarConfigs', index, 'envFrom']),
  ]),
]);

function secretsIn(spec: JsonObject, path: Path): Reference[] {
  return reference(spec, 'Secret', path);
}

/** A list of Kubernetes' EnvVar. */
function inVariables(spec: JsonObject, path: Path): Reference[] {
  return listAt(spec, path).flatMap((_, index) => [
    ...reference(spec, 'Secret', [...path, index, 'valueFrom', 'secretKeyRef']),
    ...reference(spec, 'ConfigMap', [...path, index, 'valueFrom', 'configMapKeyRef']),
  ]);
}

/** A list of Kubernetes' EnvFromSource. */
function inSources(spec: JsonObject, path: Path): Reference[] {
  return listAt(spec, path).flatMap((_, index) => [
    ...reference(spec, 'Secret', [...path, index, 'secretRef']),
    ...reference(spec, 'ConfigMap', [...path, index, 'configMapRef']),
  ]);
}

function reference(spec: JsonObject, kind: Reference['kind'], path: Path): Reference[] {
  const found = at(spec, path);
  if (!isObject(found)) return [];
  const { name, key, optional } = found;
  if (typeof name !== 'string' || name === '') return [];
  return [
    {
      kind,
      name,
      path: [...path, 'name'],
      key: typeof key === 'string' ? key : undefined,
      optional: optional === true,
    },
  ];
}

function listAt(spec: JsonObject, path: Path): unknown[] {
  const list = at(spec, path);
  return Array.isArray(list) ? list : [];
}
