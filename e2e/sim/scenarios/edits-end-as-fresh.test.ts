import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { KubeObject } from '../../../src/kube/objects.ts';
import { Scene } from './scene.ts';

/**
 * Whatever way a user takes to a spec, the regions end as if they had been made of it. The oracle is Acto's: the state after a
 * sequence of edits, valid ones and such as are refused, against that of a fresh federation of the last spec.
 */

interface Edit {
  readonly version: string;
  readonly cpu: string;
  readonly variable: string | undefined;
  readonly maxPodUnavailable: number;
  readonly sizes: Readonly<Record<string, number>>;
  readonly restartToken: string | undefined;
  readonly mistake: 'none' | 'misspelt field' | 'smaller disk' | 'another datacenter';
  /** How long the user waits before the next edit, milliseconds. */
  readonly waitsMs: number;
}

const regions = ['eu', 'us'];

const edits = fc.record({
  version: fc.constantFrom('5.0.8', '5.0.9'),
  cpu: fc.constantFrom('400m', '500m'),
  variable: fc.constantFrom(undefined, 'one', 'two'),
  maxPodUnavailable: fc.constantFrom(1, 2),
  sizes: fc.record({ eu: fc.integer({ min: 1, max: 2 }), us: fc.integer({ min: 1, max: 3 }) }),
  restartToken: fc.constantFrom(undefined, 'monday', 'tuesday'),
  mistake: fc.constantFrom(
    ...(['none', 'none', 'none', 'misspelt field', 'smaller disk', 'another datacenter'] as const),
  ),
  waitsMs: fc.constantFrom(0, 2_000, 30_000, 600_000),
});

function specOf(edit: Edit): { spec: object; template: object } {
  const resources = { cpu: edit.cpu, memory: '1Gi' };
  return {
    template: {
      cassandraImage: `cassandra:${edit.version}`,
      serverVersion: edit.version,
      resources: { requests: resources, limits: resources },
      maxPodUnavailable: edit.maxPodUnavailable,
      envVars: edit.variable === undefined ? undefined : [{ name: 'HEAP_NEWSIZE', value: edit.variable }],
      dataCapacity: edit.mistake === 'smaller disk' ? '512Mi' : '1Gi',
      cassandraImagee: edit.mistake === 'misspelt field' ? 'cassandra:5.0.9' : undefined,
    },
    spec: {
      rollout: { restartToken: edit.restartToken },
      regions: regions.map((name) => ({
        name,
        datacenters: [
          {
            name: edit.mistake === 'another datacenter' ? `${name}2` : name,
            nodesPerRacks: edit.sizes[name],
            racks: [{ name: 'rack1' }],
          },
        ],
      })),
    },
  };
}

/** What the regions are made of, but for what only tells of the way there. */
function stateOf(scene: Scene): unknown {
  return regions.map((region) => {
    const set = scene.statefulSet(region);
    const { replicas, template } = set?.spec ?? {};
    const { containers = [], initContainers = [] } = (template?.spec ?? {}) as Record<string, { env?: unknown }[]>;
    return {
      member: withoutSeeds(scene.member(region)),
      replicas,
      containers,
      initContainers: initContainers.map((each) => ({ ...each, env: [] })),
    };
  });
}

/** Running regions keep the seeds they were given: `updatePolicy` is Deferred. */
function withoutSeeds(member: KubeObject | undefined): unknown {
  const { backRestSidecar: _, ...spec } = (member?.['spec'] ?? {}) as Record<string, unknown>;
  return spec;
}

async function freshlyMade(edit: Edit): Promise<unknown> {
  const scene = new Scene();
  scene.apply(specOf(edit));
  await scene.ready();
  await scene.pass(120_000);
  const state = stateOf(scene);
  scene.close();
  return state;
}

const found: [Edit[], Edit][] = [
  // A region that had just got what restarts nothing was corrected while another one was about to restart.
  [
    [
      edit({ sizes: { eu: 1, us: 2 }, waitsMs: 30_000 }),
      edit({ cpu: '400m', maxPodUnavailable: 2, sizes: { eu: 2, us: 3 } }),
      edit({ cpu: '400m', variable: 'one', maxPodUnavailable: 2, waitsMs: 30_000 }),
      edit({ cpu: '400m', variable: 'two', maxPodUnavailable: 2, sizes: { eu: 1, us: 3 }, restartToken: 'monday' }),
    ],
    edit({ cpu: '400m', sizes: { eu: 2, us: 1 }, mistake: 'another datacenter' }),
  ],
  // A node joined while its datacenter had another name in the spec, and the status told to remove it.
  [
    [
      edit({ sizes: { eu: 1, us: 2 }, variable: 'one', restartToken: 'monday', waitsMs: 30_000 }),
      edit({
        sizes: { eu: 2, us: 3 },
        variable: 'one',
        maxPodUnavailable: 2,
        restartToken: 'tuesday',
        waitsMs: 30_000,
      }),
      edit({
        sizes: { eu: 1, us: 2 },
        maxPodUnavailable: 2,
        restartToken: 'monday',
        mistake: 'another datacenter',
        waitsMs: 30_000,
      }),
    ],
    edit({ cpu: '400m', sizes: { eu: 1, us: 2 }, variable: 'two', restartToken: 'monday' }),
  ],
];

function edit(change: Partial<Edit>): Edit {
  const first = { version: '5.0.8', cpu: '500m', variable: undefined, maxPodUnavailable: 1, sizes: { eu: 1, us: 1 } };
  return { ...first, restartToken: undefined, mistake: 'none', waitsMs: 0, ...change };
}

test('regions end as if they had been made of the last spec, whatever edits came before', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(edits, { minLength: 1, maxLength: 4 }), edits, async (before, last) => {
      const final: Edit = { ...last, mistake: 'none' };
      const scene = await Scene.formed();
      for (const edit of before) {
        scene.apply(specOf(edit));
        await scene.pass(edit.waitsMs);
      }
      scene.apply(specOf(final));
      await scene.ready();
      await scene.pass(120_000);
      await scene.ready();
      const state = stateOf(scene);
      scene.close();
      assert.deepEqual(state, await freshlyMade(final));
    }),
    { numRuns: Number(process.env['RUNS'] ?? 12), endOnFailure: true, examples: found },
  );
});
