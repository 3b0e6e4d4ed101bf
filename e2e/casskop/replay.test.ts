import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JolokiaError } from './jolokia.ts';
import { readRecording, type Expectation, type Kind } from './replay/recording.ts';
import { replay, withoutTimes, type Circumstances } from './replay/replay.ts';

/** How far apart the stand-in's write and CassKop's may be, seconds. */
const tolerance = 1;

const usual: Circumstances = { startedAt: -3, callMs: 8, draw: () => 0.9, answer: quietNode };

/** A NORMAL node of Cassandra 5.0.8 in a ring in which nothing moves. */
function quietNode(_pod: string, { type, attribute, operation }: Record<string, unknown>): unknown {
  if (type === 'EXEC' && operation === 'describeRingJMX') return ['TokenRange(datacenter:eu, rack:rack1)'];
  if (type === 'EXEC') return null;
  if (attribute === 'JoiningNodes' || attribute === 'LeavingNodes') return [];
  if (attribute === 'OperationMode') return 'NORMAL';
  if (attribute === 'Keyspaces') return ['system', 'system_schema', 'system_auth'];
  throw new JolokiaError(`no such attribute: ${String(attribute)}`);
}

const scenarios: Record<string, Partial<Circumstances>> = {
  '01-create-injected': { startedAt: 0 },
  '02-scale-up': { startedAt: -0.1 },
  '03-image': {},
  '04-config': {},
  '05-seedlist': {},
  '06-bad-image-and-fix': {},
  '07-rolling-restart': {},
  '08-refused-rack': {},
  '09-add-dc': {},
  '10-dc-to-zero': {},
  '11-scale-down': {},
  '12-cleanup-label': {},
  '13-rebuild-label': {},
  '14-delete': {},
  '15-create-two-racks': { startedAt: 0 },
  '16-pod-lost': {},
  '17-add-dc-to-three-nodes': {},
};

for (const [scenario, own] of Object.entries(scenarios)) {
  test(`${scenario}: the stand-in writes what CassKop wrote, in the same order and at the same time`, async () => {
    const recording = readRecording(scenario);
    const written = await replay(recording, { ...usual, ...own });
    const kinds = new Set([...written, ...recording.expectations].map(({ expect }) => expect));
    for (const kind of kinds) {
      const [ours, theirs] = [written, recording.expectations].map((all) =>
        all.filter(({ expect }) => expect === kind),
      );
      sameWrites(kind, ours ?? [], theirs ?? []);
    }
  });
}

function sameWrites(kind: Kind, ours: Expectation[], theirs: Expectation[]): void {
  const content = (all: Expectation[]): unknown[] => withoutTimes(all).map(({ t: _, ...rest }) => rest);
  assert.deepEqual(content(ours), content(theirs), `what was written to ${kind}`);
  for (const [i, { t }] of ours.entries()) {
    const expected = theirs[i]?.t ?? NaN;
    assert.ok(Math.abs(t - expected) <= tolerance, `${kind} written at ${t} s instead of ${expected} s`);
  }
}
