import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JolokiaError } from './jolokia.ts';
import { expectationsOf, readRecording, type Expectation, type Kind } from './replay/recording.ts';
import { replay, withoutTimes, type Circumstances } from './replay/replay.ts';

interface Scenario extends Circumstances {
  /** How far apart the stand-in's write and CassKop's may be, seconds. */
  tolerance: number;
}

const usual: Scenario = {
  tolerance: 1,
  startedAt: -3,
  callMs: 5,
  operationMs: 1000,
  draw: () => 0.99,
  answer: quietNode,
};

/** A NORMAL node of Cassandra 5.0.8, with system_auth on every node of a ring in which nothing moves. */
function quietNode(_pod: string, { type, attribute, operation }: Record<string, unknown>): unknown {
  if (type === 'EXEC') return operation === 'describeRingJMX' ? ['datacenter:eu,', 'datacenter:eu2,'] : null;
  if (attribute === 'JoiningNodes' || attribute === 'LeavingNodes') return [];
  if (attribute === 'OperationMode') return 'NORMAL';
  if (attribute === 'Keyspaces') return ['system', 'system_schema', 'system_auth'];
  throw new JolokiaError(`no such attribute: ${String(attribute)}`);
}

/** It was told to leave at 13.7 s, and had when it was asked at 23.2 s. */
const leavingNode: Circumstances['answer'] = (pod, body, t) => {
  if (pod !== 'fed-eu-rack1-1' || body['attribute'] !== 'OperationMode') return quietNode(pod, body);
  return t < 13.8 ? 'NORMAL' : t < 20 ? 'LEAVING' : 'DECOMMISSIONED';
};

/** Its first bootstrap had failed, so it refused to rebuild. */
const refusingNode: Circumstances['answer'] = (pod, body) => {
  if (body['operation'] !== 'rebuild(java.lang.String)') return quietNode(pod, body);
  throw new JolokiaError('Discovered existing bootstrap data');
};

/** startedAt says where in its 5 s cycle CassKop was, which is seen from when it noticed things. */
const scenarios: Record<string, Partial<Scenario>> = {
  '01-create-injected': { startedAt: 0 },
  '02-scale-up': { startedAt: -0.1 },
  '03-image': {},
  '04-config': {},
  '05-seedlist': {},
  '06-bad-image-and-fix': { startedAt: -2 },
  '07-rolling-restart': {},
  '08-refused-rack': {},
  '09-add-dc': { startedAt: -2 },
  '10-dc-to-zero': {},
  '11-scale-down': { startedAt: -2, answer: leavingNode },
  '12-cleanup-label': { draw: (t) => (t < 12 ? 0.99 : 0) },
  '13-rebuild-label': { startedAt: -4, draw: (t) => (t < 16 ? 0.99 : 0.3), answer: refusingNode },
  '14-delete': {},
  '15-create-two-racks': { startedAt: 0 },
  '16-pod-lost': { startedAt: -3.1 },
  '17-add-dc-to-three-nodes': { startedAt: -2 },
  // These two were recorded on a busy machine, with an operator that had just started.
  '18-many-fields': { startedAt: 0, tolerance: 5 },
  '19-few-fields': { startedAt: 0, tolerance: 5 },
};

for (const [scenario, own] of Object.entries(scenarios)) {
  test(`${scenario}: the stand-in writes what CassKop wrote, in the same order and at the same time`, async () => {
    const recording = readRecording(scenario);
    const { tolerance, ...circumstances } = { ...usual, ...own };
    const written = await replay(recording, circumstances);
    const expected = expectationsOf(recording);
    const kinds = new Set([...written, ...expected].map(({ expect }) => expect));
    for (const kind of kinds) {
      const [ours, theirs] = [written, expected].map((all) => all.filter(({ expect }) => expect === kind));
      sameWrites(kind, ours ?? [], theirs ?? [], tolerance);
    }
  });
}

function sameWrites(kind: Kind, ours: Expectation[], theirs: Expectation[], tolerance: number): void {
  const content = (all: Expectation[]): unknown[] => withoutTimes(all).map((write) => ({ ...write, t: undefined }));
  assert.deepEqual(content(ours), content(theirs), `what was written to ${kind}`);
  for (const [i, { t }] of ours.entries()) {
    const expected = theirs[i]?.t ?? NaN;
    assert.ok(Math.abs(t - expected) <= tolerance, `${kind} written at ${t} s instead of ${expected} s`);
  }
}
