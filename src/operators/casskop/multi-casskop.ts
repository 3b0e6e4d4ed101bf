import { isObject, isSameJson, type JsonObject } from '../../api/json.ts';
import { type FieldPath, invalid, type Problem } from '../../api/problem.ts';
import { apiGroup, kind } from '../../api/schema.ts';
import { addressOf, type SeedPod } from './multi-casskop-seeds.ts';
import { datacentersIn, specIn } from './multi-casskop-members.ts';

/** What a MultiCasskop comes to as a MultiCassandraCluster. */
export interface Migration {
  /** As a person would write it; undefined if there are problems. */
  readonly object: JsonObject | undefined;
  /** What is in the way, by the field of the MultiCasskop. */
  readonly problems: readonly Problem[];
  /** What differs and does not stand in the way, in sentences that begin with the field. */
  readonly notes: readonly string[];
}

export interface MigrationOptions {
  /** Of the MultiCasskop, if it does not name it itself. */
  readonly namespace?: string;
  /** spec.seeds.address, where the list of seeds does not tell it. */
  readonly seedsAddress?: string;
}

/** What converting tells as it goes. */
export interface Report {
  problem(path: FieldPath, message: string): void;
  note(path: FieldPath, message: string): void;
}

/** Fields that are lists or text for Multi-CassKop, and that an override therefore replaces as a whole. */
const opaque = new Set(['config']);

/**
 * The MultiCassandraCluster whose members are those that Multi-CassKop makes of `raw`, a MultiCasskop of db.orange.com v1 or v2; its two
 * versions have one schema. Pure, and never throws.
 *
 * Multi-CassKop merges each context's override over the base (mergo, WithOverride): objects field by field, lists and config whole, and what is empty,
 * false or 0 in an override changes nothing.
 */
export function fromMultiCasskop(raw: unknown, options: MigrationOptions = {}): Migration {
  const problems: Problem[] = [];
  const notes: string[] = [];
  const report: Report = {
    problem: (path, message) => problems.push(invalid(path, message)),
    note: (path, message) => notes.push(`${invalid(path, '').path}: ${message}`),
  };
  const object = isObject(raw) ? convert(raw, report, options) : undefined;
  if (!isObject(raw)) report.problem([], 'This is not an object.');
  return { object: problems.length === 0 ? object : undefined, problems, notes: [...new Set(notes)] };
}

interface Member {
  context: string;
  /** Where its override is. */
  path: FieldPath;
  override: JsonObject;
  region: string;
  metadata: JsonObject;
  spec: JsonObject;
  seeds: readonly string[];
}

function convert(raw: JsonObject, report: Report, options: MigrationOptions): JsonObject | undefined {
  if (raw['kind'] !== 'MultiCasskop') {
    report.problem(['kind'], `This must be MultiCasskop, but it is ${JSON.stringify(raw['kind'])}.`);
    return undefined;
  }
  if (raw['apiVersion'] !== 'db.orange.com/v1' && raw['apiVersion'] !== 'db.orange.com/v2') {
    report.problem(
      ['apiVersion'],
      `This must be db.orange.com/v1 or db.orange.com/v2, but it is ${JSON.stringify(raw['apiVersion'])}.`,
    );
    return undefined;
  }
  const metadata = objectIn(raw, ['metadata'], report);
  const spec = objectIn(raw, ['spec'], report, 'required');
  const base = objectIn(spec, ['base'], report, 'required', ['spec']);
  const overrides = objectIn(spec, ['override'], report, 'required', ['spec']);
  for (const key of Object.keys(spec)) {
    if (!['base', 'override', 'deleteCassandraCluster'].includes(key))
      report.note(['spec', key], 'Multi-CassKop does not know this field. It is left out.');
  }
  const contexts = Object.keys(overrides);
  if (contexts.length === 0) {
    report.problem(
      ['spec', 'override'],
      'There is no region without an override. Name each Kubernetes context, even with nothing below it.',
    );
    return undefined;
  }
  if (spec['deleteCassandraCluster'] !== false) {
    report.note(
      ['spec', 'deleteCassandraCluster'],
      'Multi-CassKop deletes the members along with its object. Here they stay (deletionPolicy: Orphan) unless you say Delete.',
    );
  }
  const names = new Set<string>();
  const members = contexts.map((context): Member => {
    const path: FieldPath = ['spec', 'override', context];
    const override = objectIn(overrides, [context], report, 'optional', ['spec', 'override']);
    const merged = mergeOver(base, override);
    const name = regionName(context, names, path, report);
    const seeds = seedsIn(merged, override, path, report);
    return {
      context,
      path,
      override,
      region: name,
      metadata: objectIn(merged, ['metadata'], report, 'optional', path),
      spec: objectIn(merged, ['spec'], report, 'optional', path),
      seeds,
    };
  });
  return federation({ metadata, base, members, report, options });
}

function federation(input: {
  metadata: JsonObject;
  base: JsonObject;
  members: readonly Member[];
  report: Report;
  options: MigrationOptions;
}): JsonObject | undefined {
  const { metadata, base, members, report, options } = input;
  const [first] = members;
  const clusterName = first?.metadata['name'];
  if (typeof clusterName !== 'string' || clusterName === '') {
    report.problem(
      ['spec', 'base', 'metadata', 'name'],
      'The name of the CassandraCluster is required: it is that of the Cassandra cluster.',
    );
    return undefined;
  }
  const namespaceOf = ({ metadata: each }: Member): unknown =>
    each['namespace'] ?? metadata['namespace'] ?? options.namespace;
  const namespace = metadata['namespace'] ?? options.namespace ?? (first && namespaceOf(first));
  if (typeof namespace !== 'string') {
    report.problem(
      ['metadata', 'namespace'],
      'The namespace is required, here, in spec.base.metadata or by --namespace.',
    );
    return undefined;
  }
  const template = specIn(objectIn(base, ['spec'], report), ['spec', 'base', 'spec'], report);
  const pods: SeedPod[] = [];
  const regions = members.map((member): JsonObject => {
    const { context, path, region } = member;
    if (member.metadata['name'] !== clusterName) {
      report.problem([...path, 'metadata', 'name'], `All members of one ring have one name, here ${clusterName}.`);
    }
    if (!isSameJson(member.metadata['labels'] ?? {}, first?.metadata['labels'] ?? {})) {
      report.problem(
        [...path, 'metadata', 'labels'],
        'All members have the same labels in a MultiCassandraCluster, and those of a running one can never change.',
      );
    }
    const own = namespaceOf(member);
    const written = isObject(member.override['spec']) ? member.override['spec'] : {};
    // What the base has said already is not told once more for each region.
    specIn(written, [...path, 'spec'], report);
    const spec = specIn(member.spec, [...path, 'spec'], { ...report, note: () => undefined });
    const topologyPath = isObject(written['topology']) ? [...path, 'spec'] : ['spec', 'base', 'spec'];
    const { patch, remove } = difference(template, spec, '/spec');
    const { datacenters, pods: made } = datacentersIn(member.spec, topologyPath, report, {
      clusterName,
      region,
      namespace: String(own),
    });
    pods.push(...made);
    return {
      name: region,
      ...(context !== region && { context }),
      ...(own !== namespace && { namespace: own }),
      datacenters,
      ...(Object.keys(patch).length > 0 && { patch: { spec: patch } }),
      ...(remove.length > 0 && { remove }),
    };
  });
  const name = typeof metadata['name'] === 'string' ? metadata['name'] : clusterName;
  const labels = (first?.metadata['labels'] ?? {}) as JsonObject;
  const hasDisks = regions.every(
    ({ datacenters }, index) =>
      members[index]?.spec['dataCapacity'] !== undefined ||
      (datacenters as JsonObject[]).every(
        ({ overrides }) => isObject(overrides) && overrides['dataCapacity'] !== undefined,
      ),
  );
  if (!hasDisks)
    report.note(
      ['spec', 'base', 'spec', 'dataCapacity'],
      'Some member keeps its data in its pods, and loses it with them: dataPolicy is Ephemeral.',
    );
  const lists = members.map(({ seeds, region, path }) => ({ region, seeds, path }));
  return {
    apiVersion: `${apiGroup}/v1alpha1`,
    kind,
    metadata: { name, namespace },
    spec: {
      ...(clusterName !== name && { clusterName }),
      template: { ...(Object.keys(labels).length > 0 && { metadata: { labels } }), spec: template },
      regions,
      seeds: addressOf(lists, pods, { ...options, hint: hostnameIn(base) }, report),
      adoptionPolicy: 'IfUnchanged',
      ...(!hasDisks && { dataPolicy: 'Ephemeral' }),
    },
  };
}

/** The zone that external-dns is told to put the pods' names into. */
function hostnameIn(base: JsonObject): string | undefined {
  const { spec } = base;
  const service = isObject(spec) && isObject(spec['service']) ? spec['service'] : {};
  const annotations = isObject(service['annotations']) ? service['annotations'] : {};
  const hostname = annotations['external-dns.alpha.kubernetes.io/hostname'];
  return typeof hostname === 'string' ? hostname.replace(/\.$/, '') : undefined;
}

function seedsIn(merged: JsonObject, override: JsonObject, path: FieldPath, report: Report): readonly string[] {
  const status = isObject(merged['status']) ? merged['status'] : {};
  const list = status['seedlist'];
  if (list === undefined || list === null) return [];
  if (Array.isArray(list) && list.every((each) => typeof each === 'string')) return list;
  const own = isObject(override['status']) && override['status']['seedlist'] !== undefined;
  report.problem([...(own ? path : ['spec', 'base']), 'status', 'seedlist'], 'This must be a list of addresses.');
  return [];
}

/** A name for the region that is a DNS label: the context's own if it is one. */
function regionName(context: string, taken: Set<string>, path: FieldPath, report: Report): string {
  const name = context
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 63);
  if (name === '' || taken.has(name))
    report.problem(path, 'No name of a region can be made of this context that no other one has. Rename the context.');
  if (name !== context)
    report.note(path, `the region is named ${name}, since a region's name is a DNS label; its context stays.`);
  taken.add(name);
  return name;
}

function objectIn(
  parent: JsonObject,
  [field = '']: readonly string[],
  report: Report,
  need: 'required' | 'optional' = 'optional',
  place: FieldPath = [],
): JsonObject {
  const value = parent[field];
  if (isObject(value)) return value;
  const isAbsent = value === undefined || value === null;
  if (need === 'required' && isAbsent) report.problem([...place, field], 'This field is required.');
  else if (!isAbsent) report.problem([...place, field], 'This must be an object.');
  return {};
}

/** As Multi-CassKop merges; see {@link fromMultiCasskop}. */
function mergeOver(base: JsonObject, override: JsonObject): JsonObject {
  const merged = { ...base };
  for (const [key, value] of Object.entries(override)) {
    const there = merged[key];
    if (isObject(value) && isObject(there) && !opaque.has(key)) merged[key] = mergeOver(there, value);
    else if (there === undefined || !isEmpty(value)) merged[key] = value;
  }
  return merged;
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return value === undefined || value === null || value === false || value === 0 || value === '';
}

/** What makes `to` of `from`: fields to add or replace, and JSON pointers of those to take out. */
function difference(from: JsonObject, to: JsonObject, pointer: string): { patch: JsonObject; remove: string[] } {
  const patch: JsonObject = {};
  const remove = Object.keys(from)
    .filter((key) => !(key in to))
    .map((key) => `${pointer}/${escape(key)}`);
  for (const [key, value] of Object.entries(to)) {
    const there = from[key];
    if (isObject(value) && isObject(there)) {
      const below = difference(there, value, `${pointer}/${escape(key)}`);
      if (Object.keys(below.patch).length > 0) patch[key] = below.patch;
      remove.push(...below.remove);
    } else if (!isSameJson(value, there)) patch[key] = value;
  }
  return { patch, remove };
}

/** One step of a JSON pointer (RFC 6901). */
function escape(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
