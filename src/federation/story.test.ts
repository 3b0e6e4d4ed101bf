import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition, Status } from '../api/schema.ts';
import { linesOfStatus } from './story.ts';

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

test('a rollout is told from its beginning to its end', () => {
  const ready = statusOf(condition('Ready', 'True', 'Ready'));
  const changing = statusOf(condition('Ready', 'False', 'Changing', 'eu restarts'));
  assert.deepEqual(told(ready, changing), ['Normal Ready Changing: eu restarts']);
  assert.deepEqual(told(changing, ready), ['Normal Ready Ready: Ready']);
  assert.deepEqual(told(changing, statusOf(condition('Ready', 'False', 'Changing', 'us restarts'))), []);
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
