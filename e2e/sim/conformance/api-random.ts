import fc from 'fast-check';
import { configMap, federation, member, type Fields } from './api-fixtures.ts';
import type { KubeObject } from '../../../src/kube/objects.ts';

/** What a write says of the state it is meant for: nothing, that of an earlier answer, or something wrong. */
export type Precondition = 'none' | 'last' | 'first' | 'version' | 'uid' | 'create' | 'strange';

/** One request of a sequence, with what it needs from earlier answers still open. */
export type Step =
  | {
      do: 'post' | 'apply' | 'applyStatus';
      object: number;
      content: Content;
      precondition: Precondition;
      manager: string;
      force: boolean;
    }
  | { do: 'put' | 'putStatus'; object: number; content: Content; onto: 'last' | 'first' | 'nothing'; manager: string }
  | { do: 'merge' | 'mergeStatus'; object: number; content: Content; precondition: Precondition; manager: string }
  | { do: 'json'; object: number; tests: Precondition; operations: object[]; manager: string }
  | { do: 'delete'; object: number; precondition: Precondition; propagation: string | undefined }
  | { do: 'get' | 'list'; object: number };

export interface Content {
  spec: Fields | undefined;
  status: Fields;
  labels: Fields | undefined;
  finalizers: string[] | undefined;
}

/** A kind that sequences write to, and what is written. */
export interface RandomKind {
  collection: string;
  make: (name: string, metadata: object) => KubeObject;
  /** Where the content goes: `spec`, `data`. */
  part: string;
  content: fc.Arbitrary<Fields>;
  status: fc.Arbitrary<Fields>;
  /** For merge patches, null takes away. */
  patch: fc.Arbitrary<Fields>;
  /** Paths for JSON patches, with a value each. */
  pointers: [path: string, value: unknown][];
  hasStatus: boolean;
  /** The part must always be there. */
  isRequired: boolean;
}

const letter = fc.constantFrom('a', 'b');
const oneOrTwo = fc.constantFrom(1, 2);

function optional<T>(arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Fields> {
  return fc.record(arbitraries, { requiredKeys: [] }) as fc.Arbitrary<Fields>;
}

const strings = { x: letter, y: letter };
const memberContent = {
  nodesPerRacks: oneOrTwo,
  cassandraImage: letter,
  seedlist: fc.array(letter, { maxLength: 2 }),
  pod: optional({ annotations: optional(strings) }),
  resources: optional({ limits: optional({ cpu: letter }), requests: optional({ cpu: letter }) }),
  topology: optional({ dc: fc.array(fc.record({ name: letter }), { maxLength: 2 }) }),
  backRestSidecar: optional({ image: letter }),
};
const unknown = { unknown: optional({ deep: optional(strings), list: fc.array(letter, { maxLength: 2 }) }) };

const regionNames = fc.uniqueArray(fc.constantFrom('eu', 'us', 'ap', 'za'), { minLength: 1, maxLength: 3 });
const federationContent = regionNames.chain((names) =>
  fc
    .record({ paused: fc.option(fc.boolean(), { nil: undefined }), token: fc.option(letter, { nil: undefined }) })
    .map(({ paused, token }) => ({
      ...(federation('', names)['spec'] as Fields),
      ...(paused !== undefined && { rollout: { paused, ...(token !== undefined && { restartToken: token }) } }),
    })),
);

// All of a condition is required, so that nothing of it may be left to nobody.
const condition = letter.map((type) => ({
  type,
  status: 'True',
  reason: 'Reason',
  message: '',
  lastTransitionTime: '2026-01-01T00:00:00Z',
}));

function nullable(content: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Fields> {
  const each = Object.entries(content).map(([key, value]) => [
    key,
    fc.oneof({ weight: 3, arbitrary: value }, fc.constant(null)),
  ]);
  return fc.record(Object.fromEntries(each) as Record<string, fc.Arbitrary<unknown>>, { requiredKeys: [] });
}

export const randomKinds: RandomKind[] = [
  {
    collection: '/apis/db.orange.com/v2/namespaces/default/cassandraclusters',
    make: (name, metadata) => member(name, {}, metadata),
    part: 'spec',
    content: optional({ ...memberContent, ...unknown }),
    status: optional({ phase: letter, seedlist: fc.array(letter, { maxLength: 2 }) }),
    patch: nullable(memberContent),
    pointers: [
      ['/spec/nodesPerRacks', 2],
      ['/spec/seedlist', ['b']],
      ['/spec/seedlist/0', 'a'],
      ['/spec/pod/annotations/x', 'b'],
      ['/metadata/annotations', { x: 'a' }],
      ['/metadata/finalizers/0', 'x.y/a'],
    ],
    hasStatus: true,
    isRequired: false,
  },
  {
    collection: '/api/v1/namespaces/default/configmaps',
    make: (name, metadata) => configMap(name, {}, metadata),
    part: 'data',
    content: optional({ ...strings, z: letter }),
    status: fc.constant({}),
    patch: nullable({ ...strings, z: letter }),
    pointers: [
      ['/data/x', 'a'],
      ['/data/z', 'b'],
      ['/metadata/annotations', { x: 'a' }],
      ['/metadata/finalizers/0', 'x.y/a'],
    ],
    hasStatus: false,
    isRequired: false,
  },
  {
    collection: '/apis/ringmaster.dev/v1alpha1/namespaces/default/multicassandraclusters',
    make: (name, metadata) => federation(name, ['eu'], metadata),
    part: 'spec',
    content: federationContent,
    status: optional({
      observedGeneration: oneOrTwo,
      conditions: fc.uniqueArray(condition, { selector: ({ type }) => type }),
    }),
    patch: federationContent,
    pointers: [
      ['/spec/rollout/paused', true],
      ['/metadata/annotations', { x: 'a' }],
      ['/metadata/finalizers/0', 'x.y/a'],
    ],
    hasStatus: true,
    isRequired: true,
  },
];

const manager = fc.constantFrom('ringmaster', 'casskop', 'user');
const object = fc.constantFrom(0, 0, 0, 1);
const precondition = fc.constantFrom<Precondition>(
  'none',
  'none',
  'last',
  'last',
  'first',
  'version',
  'uid',
  'create',
  'strange',
);

function contentOf({ status, isRequired }: RandomKind, spec: fc.Arbitrary<Fields>): fc.Arbitrary<Content> {
  return fc.record({
    spec: isRequired ? spec : fc.option(spec, { nil: undefined, freq: 8 }),
    status,
    // An empty map of labels is a change of a custom resource each time it is applied, which nobody does.
    labels: fc.option(fc.record({ x: letter, y: letter }, { requiredKeys: ['x'] }), { nil: undefined }),
    finalizers: fc.option(fc.uniqueArray(fc.constantFrom('x.y/a', 'x.y/b'), { minLength: 1 }), {
      nil: undefined,
      freq: 3,
    }),
  });
}

/** One request to one of two objects of a kind. */
export function steps(kind: RandomKind): fc.Arbitrary<Step[]> {
  const content = contentOf(kind, kind.content);
  const patch = contentOf(kind, kind.patch);
  const operation = fc
    .tuple(fc.constantFrom('add', 'remove', 'replace', 'test'), fc.constantFrom(...kind.pointers))
    // A finalizer that is there twice is nobody's business.
    .filter(([op, [path]]) => !path.includes('finalizers') || op === 'remove' || op === 'test');
  const operations = fc.array(
    operation.map(([op, [path, value]]) => ({ op, path, ...(op !== 'remove' && { value }) })),
    {
      minLength: 1,
      maxLength: 2,
    },
  );
  const tests = fc.constantFrom<Precondition>('none', 'last', 'first', 'strange');
  const onto = fc.constantFrom<'last' | 'first' | 'nothing'>('last', 'last', 'last', 'first', 'nothing');
  const propagation = fc.constantFrom(undefined, undefined, 'Background', 'Orphan', 'Foreground');
  const status = kind.hasStatus ? 1 : 0;
  const force = fc.constantFrom(true, true, true, false);
  const make = <T>(arbitrary: fc.Arbitrary<T>, weight: number): fc.WeightedArbitrary<T> => ({ arbitrary, weight });
  const step = fc.oneof(
    make(
      fc.record({
        do: fc.constant('post' as const),
        object,
        content,
        precondition: fc.constant('none' as const),
        manager,
        force,
      }),
      2,
    ),
    make(fc.record({ do: fc.constant('apply' as const), object, content, precondition, manager, force }), 8),
    make(fc.record({ do: fc.constant('applyStatus' as const), object, content, precondition, manager, force }), status),
    make(fc.record({ do: fc.constant('put' as const), object, content, onto, manager }), 5),
    make(fc.record({ do: fc.constant('putStatus' as const), object, content, onto, manager }), 2 * status),
    make(fc.record({ do: fc.constant('merge' as const), object, content: patch, precondition, manager }), 4),
    make(fc.record({ do: fc.constant('mergeStatus' as const), object, content, precondition, manager }), 3 * status),
    make(fc.record({ do: fc.constant('json' as const), object, tests, operations, manager }), 4),
    make(fc.record({ do: fc.constant('delete' as const), object, precondition, propagation }), 2),
    make(fc.record({ do: fc.constantFrom('get' as const, 'list' as const), object }), 1),
  );
  return fc.array(step, { minLength: 1, maxLength: 20, size: 'max' });
}
