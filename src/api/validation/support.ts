import { isObject } from '../json.ts';
import { type FieldPath, notYetSupported, type Problem } from '../problem.ts';
import type { MultiCassandraCluster } from '../schema.ts';
import { writtenParts } from './written-parts.ts';

/** What the schema has a field for but this version of Ringmaster does not do yet. */
export function validateSupport(mcc: MultiCassandraCluster): Problem[] {
  return [...specProblems(mcc), ...regionProblems(mcc), ...referenceProblems(mcc)];
}

function* specProblems({ spec }: MultiCassandraCluster): Generator<Problem> {
  if (spec.operator !== 'CassKop') {
    yield notYetSupported(['spec', 'operator'], `Ringmaster does not drive ${spec.operator} yet. Use CassKop.`);
  }
  if (spec.seeds.external.length > 0) {
    yield notYetSupported(
      ['spec', 'seeds', 'external'],
      'Ringmaster does not join a ring that exists already yet. Leave seeds.external empty.',
    );
  }
  if (spec.deletionPolicy !== 'Orphan') {
    yield notYetSupported(
      ['spec', 'deletionPolicy'],
      'Ringmaster does not delete members yet. Use Orphan, and delete the regional objects by hand.',
    );
  }
}

const stateSentences = {
  Observed: 'Ringmaster does not watch regions that it does not write to yet.',
  Removing: 'Ringmaster does not take regions out of the ring yet.',
  Abandoned: 'Ringmaster does not give up lost regions yet.',
};

function* regionProblems({ spec }: MultiCassandraCluster): Generator<Problem> {
  for (const [index, region] of spec.regions.entries()) {
    const path = ['spec', 'regions', index];
    if (region.state !== 'Managed') {
      yield notYetSupported([...path, 'state'], `${stateSentences[region.state]} Use Managed.`);
    }
    if (region.operator !== undefined && region.operator !== 'CassKop') {
      yield notYetSupported([...path, 'operator'], `Ringmaster does not drive ${region.operator} yet. Use CassKop.`);
    }
    if (region.deletionPolicy !== undefined && region.deletionPolicy !== 'Orphan') {
      yield notYetSupported(
        [...path, 'deletionPolicy'],
        'Ringmaster does not delete members yet. Use Orphan, and delete the regional objects by hand.',
      );
    }
  }
}

/** Fields of containers that name a Secret or ConfigMap. The guard copies the one configMapName names itself. */
const references = new Set(['secretKeyRef', 'configMapKeyRef', 'secretRef', 'configMapRef']);
const copySentence =
  'Ringmaster does not copy Secrets and ConfigMaps to the regions yet (only the one that configMapName names), so the pods would not start.';

function* referenceProblems(mcc: MultiCassandraCluster): Generator<Problem> {
  for (const { spec, path } of writtenParts(mcc)) {
    const secret = spec['imagePullSecret'];
    if (isObject(secret) && typeof secret['name'] === 'string' && secret['name'] !== '') {
      yield notYetSupported(
        [...path, 'imagePullSecret'],
        `${copySentence} Leave it out, and give the ServiceAccount of the pods its pull secret in each region.`,
      );
    }
    for (const key of ['envVars', 'backRestSidecar', 'sidecarConfigs']) {
      for (const found of referencesIn(spec[key], [...path, key])) {
        yield notYetSupported(found, `${copySentence} Write the value itself, or leave it out.`);
      }
    }
  }
}

function* referencesIn(value: unknown, path: FieldPath): Generator<FieldPath> {
  if (Array.isArray(value)) {
    for (const [index, item] of (value as unknown[]).entries()) yield* referencesIn(item, [...path, index]);
  } else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      if (references.has(key) && isObject(item)) yield [...path, key];
      else yield* referencesIn(item, [...path, key]);
    }
  }
}
