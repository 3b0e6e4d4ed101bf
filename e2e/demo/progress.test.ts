import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Condition, Mcc, PodObject, RegionStatus } from '../ring/federation.ts';
import { changes, progressBlock, readProgress, type Progress } from './progress.ts';

const noPods = new Map<string, PodObject[]>();

function condition(type: string, status: string, reason: string, message: string): Condition {
  return { type, status, reason, message, observedGeneration: 1 };
}

function mcc(conditions: Condition[], regions: RegionStatus[] = [], generation = 1): Mcc {
  return {
    metadata: { name: 'orders', generation },
    spec: {},
    status: { conditions, regions, seeds: ['one.eu', 'one.us'] },
  };
}

function pod(name: string, status: PodObject['status']): PodObject {
  return { metadata: { name }, status };
}

const eu: RegionStatus = {
  name: 'eu',
  stage: 'Founding',
  nodes: 1,
  readyNodes: 0,
  conditions: [
    condition('Reachable', 'True', 'Reachable', 'the API server answers'),
    condition('Applied', 'False', 'Writing', 'the seeds are written'),
    condition('Settled', 'False', 'Working', 'the operator starts the pods'),
  ],
};

function doingIn(region: RegionStatus, pods: PodObject[] = []): string | undefined {
  return readProgress(mcc([], [region]), new Map([[region.name, pods]])).regions[0]?.doing;
}

suite('the progress of a federation', () => {
  test('is told of one that no controller has seen', () => {
    const progress = readProgress({ metadata: { name: 'orders' }, spec: {} }, noPods);
    assert.deepEqual(progress.regions, []);
    assert.equal(progress.doing, 'the controller has not seen it yet');
    assert.equal(progress.ready, false);
  });

  test('is ready only when Ready speaks of the spec as it is now', () => {
    const ready = [condition('Ready', 'True', 'Ready', 'one ring')];
    assert.equal(readProgress(mcc(ready), noPods).ready, true);
    assert.equal(readProgress(mcc(ready, [], 2), noPods).ready, false);
  });

  test('names what the controller does, and above that what needs a person', () => {
    const working = condition('Reconciling', 'True', 'Joining', 'us joins');
    const ready = condition('Ready', 'False', 'Forming', 'not yet');
    assert.equal(readProgress(mcc([ready, working]), noPods).doing, 'Joining: us joins');
    const stalled = condition('Stalled', 'True', 'RingSplit', 'there are two rings');
    assert.equal(readProgress(mcc([ready, working, stalled]), noPods).doing, 'RingSplit: there are two rings');
    const idle = condition('Reconciling', 'False', 'Idle', 'nothing');
    assert.equal(readProgress(mcc([ready, idle]), noPods).doing, 'Forming: not yet');
  });

  test('carries why a spec was refused', () => {
    const refused = condition('Accepted', 'False', 'Invalid', 'spec.regions: too few');
    assert.equal(readProgress(mcc([refused]), noPods).refused, 'spec.regions: too few');
    assert.equal(readProgress(mcc([condition('Accepted', 'True', 'Accepted', '')]), noPods).refused, undefined);
  });
});

suite('the progress of a region', () => {
  test('follows each pod from creation through its guard to Cassandra', () => {
    const bootstrap = (state: Record<string, unknown>): PodObject[] => [
      pod('n-0', { initContainerStatuses: [{ name: 'bootstrap', restartCount: 0, state }] }),
    ];
    assert.equal(doingIn(eu, [pod('n-0', {})]), 'n-0 is created');
    assert.match(doingIn(eu, bootstrap({ running: {} })) ?? '', /^n-0 is in its guard/);
    assert.equal(doingIn(eu, bootstrap({ terminated: {} })), 'n-0 starts Cassandra');
    const ready = pod('n-0', { conditions: [{ type: 'Ready', status: 'True' }] });
    assert.equal(doingIn(eu, [ready, pod('n-1', {})]), 'n-1 is created');
    assert.equal(doingIn(eu, [ready]), 'the operator starts the pods');
  });

  test('says nothing while the region waits for its turn', () => {
    assert.equal(doingIn({ ...eu, stage: 'Waiting' }), '');
  });

  test('puts what is wrong before everything else', () => {
    const lost = condition('Reachable', 'False', 'Timeout', 'no answer');
    assert.equal(doingIn({ ...eu, conditions: [lost] }, [pod('n-0', {})]), 'no answer');
    const blind = condition('RingMember', 'False', 'SeedsUnreachable', 'no seed answers');
    assert.equal(
      doingIn({ ...eu, conditions: [...(eu.conditions ?? []), blind] }, [pod('n-0', {})]),
      'no seed answers',
    );
  });

  test('is at rest when nothing is left to say', () => {
    const conditions = ['Reachable', 'Applied', 'Settled', 'RingMember'].map((type) => condition(type, 'True', '', ''));
    assert.equal(doingIn({ ...eu, stage: 'Running', conditions }), 'in the ring, at rest');
  });
});

const founding: Progress = {
  name: 'orders',
  ready: false,
  refused: undefined,
  doing: 'Founding: no node has been heard',
  seeds: ['one.eu', 'one.us'],
  regions: [
    { name: 'eu', stage: 'Founding', ready: 0, wanted: 1, doing: 'n-0 starts Cassandra' },
    { name: 'us', stage: 'Waiting', ready: 0, wanted: 1, doing: '' },
  ],
};

suite('the shown progress', () => {
  test('is a block with time, regions, seeds and what is waited for', () => {
    assert.deepEqual(progressBlock(founding, 12_900), [
      '  12 s  orders: 0 of 2 regions in the ring',
      '        eu      Founding   0/1 ready  n-0 starts Cassandra',
      '        us      Waiting    0/1 ready',
      '        seeds one.eu, one.us',
      '        Founding: no node has been heard',
    ]);
  });

  test('is, without a terminal, first everything and then only what changed', () => {
    assert.deepEqual(changes(undefined, founding, 12_900), [
      '  12 s  orders  seeds one.eu, one.us',
      '  12 s  orders  Founding: no node has been heard',
      '  12 s  eu      Founding   0/1 ready  n-0 starts Cassandra',
      '  12 s  us      Waiting    0/1 ready',
    ]);
    assert.deepEqual(changes(founding, founding, 13_000), []);
    const [first, second] = founding.regions;
    assert.ok(first && second);
    const later = { ...founding, regions: [{ ...first, stage: 'Running', ready: 1, doing: 'at rest' }, second] };
    assert.deepEqual(changes(founding, later, 61_000), ['  61 s  eu      Running    1/1 ready  at rest']);
    assert.deepEqual(changes(later, { ...later, doing: 'Ready' }, 62_000), ['  62 s  orders  Ready']);
  });
});
