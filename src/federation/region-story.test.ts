import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition, RegionStatus } from '../api/schema.ts';
import { linesOfRegion } from './region-story.ts';

const eu: RegionStatus = { name: 'eu', stage: 'Running', nodes: 3, readyNodes: 3 };
const host = (pod: string, hostId = pod): { pod: string; hostId: string } => ({ pod, hostId });
const applied = (reason: string, message: string): Condition[] => [
  {
    type: 'Applied',
    status: reason === 'Applied' ? 'True' : 'False',
    reason,
    message,
    lastTransitionTime: '2026-01-01T00:00:00Z',
  },
];
const told = (was: RegionStatus | undefined, is: RegionStatus, stalled?: string): string[] =>
  linesOfRegion(was, is, stalled).map(({ type, reason, note }) => `${type} ${reason}: ${note}`);

test('of a region that is new nothing is told but what it does next', () => {
  const waiting: RegionStatus = { ...eu, stage: 'Waiting', conditions: applied('Waiting', 'not its turn') };
  assert.deepEqual(told(undefined, waiting), []);
  assert.deepEqual(told(waiting, waiting), []);
});

test('a region is followed into the ring', () => {
  const stages = ['Waiting', 'Founding', 'Joining', 'Running'] as const;
  const [waiting, founding, joining, running] = stages.map((stage): RegionStatus => ({ ...eu, stage }));
  assert.ok(waiting && founding && joining && running);
  assert.deepEqual(told(waiting, founding), ['Normal RegionFounding: region eu starts the ring with 3 nodes']);
  assert.deepEqual(told(founding, joining), []);
  assert.deepEqual(told(waiting, joining), [
    'Normal RegionJoining: region eu joins the ring: 0 of 3 nodes are part of it',
  ]);
  assert.deepEqual(told(joining, running), ['Normal RegionJoined: region eu is part of the ring, with 3 nodes']);
});

test('nodes that come and go are named, those of one moment together', () => {
  const two: RegionStatus = { ...eu, hosts: [host('a'), host('b')] };
  assert.deepEqual(told(eu, two), ['Normal NodeJoined: a, b of region eu joined the ring']);
  assert.deepEqual(told(two, { ...eu, hosts: [host('a')] }), ['Normal NodeLeft: b of region eu left the ring']);
  assert.deepEqual(told(two, { ...eu, hosts: [host('a'), host('b', 'another')] }), [
    'Normal NodeReplaced: b of region eu came into the ring as another host',
  ]);
});

test('a change of a region is told when it begins and when it has settled', () => {
  const changing: RegionStatus = {
    ...eu,
    changingSince: '2026-01-01T00:00:00Z',
    conditions: applied('Writing', 'change the member: restarts its 3 nodes'),
  };
  assert.deepEqual(told(eu, changing), [
    'Normal RegionChanging: it is the turn of region eu: change the member: restarts its 3 nodes',
  ]);
  assert.deepEqual(told(changing, eu), [
    'Normal RegionSettled: region eu has settled with what was last written to it',
  ]);
});

test('a region says once what it waits for, however the words change', () => {
  const was: RegionStatus = { ...eu, conditions: applied('Applied', 'all is well') };
  const waits: RegionStatus = { ...eu, conditions: applied('Waiting', 'region us is being changed') };
  assert.deepEqual(told(was, waits), ['Normal RegionWaiting: region eu: region us is being changed']);
  assert.deepEqual(told(waits, { ...eu, conditions: applied('Waiting', 'region ap is being changed') }), []);
  const itself: RegionStatus = { ...eu, conditions: applied('Waiting', 'region eu waits: us is being changed') };
  assert.deepEqual(told(was, itself), ['Normal RegionWaiting: region eu waits: us is being changed']);
});

test('what a region lacks is a warning, unless the whole is stalled by the same', () => {
  const was: RegionStatus = { ...eu, conditions: applied('Waiting', 'not its turn') };
  const lacks: RegionStatus = { ...eu, conditions: applied('PreconditionMissing', 'no namespace cassandra') };
  assert.deepEqual(told(was, lacks), ['Warning RegionPreconditionMissing: region eu: no namespace cassandra']);
  assert.deepEqual(told(was, lacks, 'region eu: no namespace cassandra'), []);
});

test('what every node does is told of each region from its beginning to its end', () => {
  const doing = (done: number, failed?: string[]): RegionStatus => ({
    ...eu,
    operations: [{ name: 'cleanup', token: 'june', done, total: 3, ...(failed && { failed }) }],
  });
  assert.deepEqual(told(eu, doing(0)), ['Normal OperationBegun: cleanup (june) is to be done by 3 nodes of region eu']);
  assert.deepEqual(told(doing(0), doing(1)), []);
  assert.deepEqual(told(doing(1), doing(1, ['c'])), [
    'Warning OperationFailed: cleanup (june) failed on c of region eu',
  ]);
  assert.deepEqual(told(doing(2), doing(3)), ['Normal OperationDone: region eu is through with cleanup (june)']);
  assert.deepEqual(told(eu, doing(3)), []);
});

test('a region is followed out of the ring', () => {
  const removing: RegionStatus = { ...eu, stage: 'Removing', conditions: applied('Leaving', 'it leaves') };
  const leaving: RegionStatus = { ...removing, leavingSince: '2026-01-01T00:00:00Z' };
  assert.deepEqual(told(eu, removing), []);
  assert.deepEqual(told(removing, leaving), [
    'Normal RegionLeaving: region eu begins to leave the ring; that is not taken back any more',
  ]);
  assert.deepEqual(told(leaving, { name: 'eu', stage: 'Removed' }), [
    'Normal RegionRemoved: region eu has left the ring; its entry may be dropped',
  ]);
  assert.deepEqual(told(leaving, { ...eu, stage: 'Abandoned' }), [
    'Normal RegionAbandoned: no host of region eu is part of the ring any more',
  ]);
});
