import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition, Status } from '../api/schema.ts';
import { resources } from '../kube/objects.ts';
import type { Intent } from './intents.ts';
import { lineOfWrite, linesOfStatus } from './story.ts';

const condition = (type: string, status: Condition['status'], reason: string, message = reason): Condition => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: '2026-01-01T00:00:00Z',
});
const statusOf = (...conditions: Condition[]): Status => ({ conditions });
const told = (before: Status | undefined, after: Status): string[] =>
  linesOfStatus(before, after).map(({ type, reason, action, note }) => `${type} ${action} ${reason}: ${note}`);

test('a first status that is as one expects is no news', () => {
  assert.deepEqual(
    told(undefined, statusOf(condition('Accepted', 'True', 'Accepted'), condition('Stalled', 'False', 'Progressing'))),
    [],
  );
});

test('a spec that is refused is told at once, and so is that it is accepted again', () => {
  const refused = statusOf(condition('Accepted', 'False', 'Invalid', 'spec.regions: wrong'));
  const accepted = statusOf(condition('Accepted', 'True', 'Accepted'));
  assert.deepEqual(told(undefined, refused), ['Warning Accepted Invalid: spec.regions: wrong']);
  assert.deepEqual(told(refused, accepted), ['Normal Accepted Accepted: Accepted']);
});

test('another edit that is refused is told as well, the same one said anew is not', () => {
  const refused = (message: string, observedGeneration: number): Status =>
    statusOf({ ...condition('Accepted', 'False', 'Invalid', message), observedGeneration });
  assert.deepEqual(told(refused('one', 2), refused('two', 3)), ['Warning Accepted Invalid: two']);
  assert.deepEqual(told(refused('one', 2), refused('one', 3)), []);
  assert.deepEqual(told(refused('one', 2), refused('one, said better', 2)), []);
});

test('that a change waits for the end of a pause is told, of the rest at work the regions tell', () => {
  const reconciling = (reason: string): Status => statusOf(condition('Reconciling', 'True', reason));
  assert.deepEqual(told(reconciling('Changing'), reconciling('Paused')), ['Normal Reconciling Paused: Paused']);
  assert.deepEqual(told(reconciling('Paused'), reconciling('Changing')), []);
  assert.deepEqual(told(statusOf(condition('Reconciling', 'False', 'Idle')), reconciling('Changing')), []);
});

test('hosts that are given up for good are told of', () => {
  const hosts = (...abandonedHosts: string[]): Status => ({ conditions: [], ring: { founder: 'eu', abandonedHosts } });
  assert.deepEqual(told(hosts('a'), hosts('a', 'b')), [
    'Normal AbandonRegion HostsAbandoned: given up for good, and never to come back: host b',
  ]);
  assert.deepEqual(told(undefined, hosts('a')), []);
});

test('writes are told by what they do, and upkeep is not', () => {
  const write = (verb: 'create' | 'delete', kind: keyof typeof resources): Intent => {
    const object = { metadata: { name: 'orders', namespace: 'cassandra' } };
    const resource = resources[kind];
    return verb === 'create'
      ? { region: 'eu', why: 'why', write: { verb, resource, object } }
      : { region: 'eu', why: 'why', write: { verb, resource, ref: object.metadata, uid: 'u', resourceVersion: '1' } };
  };
  assert.deepEqual(lineOfWrite(write('create', 'secrets'))?.reason, 'Copied');
  assert.deepEqual(lineOfWrite(write('delete', 'pods'))?.reason, 'PodDeleted');
});

test('a rollout is told from its beginning to its end', () => {
  const ready = statusOf(condition('Ready', 'True', 'Ready'));
  const changing = statusOf(condition('Ready', 'False', 'Changing', 'eu restarts'));
  assert.deepEqual(told(ready, changing), ['Normal Ready Changing: eu restarts']);
  assert.deepEqual(told(changing, ready), ['Normal Ready Ready: Ready']);
  assert.deepEqual(told(changing, statusOf(condition('Ready', 'False', 'Changing', 'us restarts'))), []);
});

test('what a rollout shakes in passing is not told, what a person has to mend is', () => {
  const both = (ready: string, ring: string, status: Condition['status'] = 'False'): Status =>
    statusOf(
      condition('Ready', ready === 'RingNotIntact' ? 'Unknown' : 'False', ready),
      condition('RingIntact', status, ring),
    );
  assert.deepEqual(told(both('Changing', 'OneRing', 'True'), both('RingNotIntact', 'NoView', 'Unknown')), []);
  assert.deepEqual(told(both('RingNotIntact', 'NoView', 'Unknown'), both('Changing', 'OneRing', 'True')), []);
  assert.deepEqual(told(both('Changing', 'OneRing', 'True'), both('RingNotIntact', 'RingSplit')), [
    'Warning RingIntact RingSplit: RingSplit',
  ]);
  assert.deepEqual(told(both('RingNotIntact', 'RingSplit'), both('Changing', 'OneRing', 'True')), [
    'Normal RingIntact OneRing: OneRing',
  ]);
});

test('a spec that is refused is told by the one condition that says why', () => {
  const before = statusOf(condition('Accepted', 'True', 'Accepted'), condition('Ready', 'True', 'Ready'));
  const refused = statusOf(
    condition('Accepted', 'False', 'Invalid'),
    condition('Ready', 'False', 'NotAccepted'),
    condition('Stalled', 'True', 'NotAccepted'),
  );
  assert.deepEqual(told(before, refused), ['Warning Accepted Invalid: Invalid']);
});

test('what every node does is told when it begins, ends and fails, not when it waits a while', () => {
  const done = (reason: string): Status => statusOf(condition('OperationsDone', 'False', reason));
  assert.deepEqual(told(statusOf(), done('Running')), ['Normal OperationsDone Running: Running']);
  assert.deepEqual(told(done('Running'), done('Waiting')), []);
  assert.deepEqual(told(done('Waiting'), done('Failed')), ['Warning OperationsDone Failed: Failed']);
});

test('a region that is lost and comes back is named', () => {
  const region = (status: Condition['status'], reason: string): Status => ({
    regions: [{ name: 'eu', stage: 'Running', conditions: [condition('Reachable', status, reason)] }],
  });
  assert.deepEqual(told(region('True', 'Reachable'), region('False', 'Timeout')), [
    'Warning Reachable Timeout: region eu: Timeout',
  ]);
  assert.deepEqual(told(region('False', 'Timeout'), region('True', 'Reachable')), [
    'Normal Reachable Reachable: region eu: Reachable',
  ]);
  assert.deepEqual(told(region('False', 'Timeout'), region('False', 'Refused')), []);
});

test('that credentials end soon is told once, as what a person has to see to', () => {
  const region = (reason: string): Status => ({
    regions: [{ name: 'eu', stage: 'Running', conditions: [condition('Reachable', 'True', reason)] }],
  });
  const soon = 'CredentialsExpireSoon';
  assert.deepEqual(told(region('Reachable'), region(soon)), [`Warning Reachable ${soon}: region eu: ${soon}`]);
  assert.deepEqual(told(region(soon), region(soon)), []);
  assert.deepEqual(told(region(soon), region('Reachable')), ['Normal Reachable Reachable: region eu: Reachable']);
});
