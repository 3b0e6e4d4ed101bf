import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionTypes, reasons, regionConditionTypes, setCondition } from './conditions.ts';

const t1 = '2026-01-01T00:00:00Z';
const t2 = '2026-01-01T00:01:00Z';

test('lastTransitionTime moves only when the status changes', () => {
  const first = setCondition(
    undefined,
    { type: 'Ready', status: 'False', reason: 'Forming', message: 'a', observedGeneration: 1 },
    t1,
  );
  const second = setCondition(
    first,
    { type: 'Ready', status: 'False', reason: 'Changing', message: 'b', observedGeneration: 2 },
    t2,
  );
  assert.deepEqual(second, [
    { type: 'Ready', status: 'False', reason: 'Changing', message: 'b', observedGeneration: 2, lastTransitionTime: t1 },
  ]);
  const third = setCondition(second, { type: 'Ready', status: 'True', reason: 'Ready', message: 'c' }, t2);
  assert.equal(third[0]?.lastTransitionTime, t2);
  assert.equal(first[0]?.reason, 'Forming', 'the older list stays as it was');
});

test('other conditions keep their place', () => {
  let list = setCondition([], { type: 'Accepted', status: 'True', reason: 'Accepted', message: '' }, t1);
  list = setCondition(list, { type: 'Ready', status: 'Unknown', reason: 'Forming', message: '' }, t1);
  list = setCondition(list, { type: 'Accepted', status: 'False', reason: 'Invalid', message: 'x' }, t2);
  assert.deepEqual(
    list.map(({ type, status }) => `${type}=${status}`),
    ['Accepted=False', 'Ready=Unknown'],
  );
});

test('every condition type has reasons, each a CamelCase word with a sentence', () => {
  const types = [...Object.keys(conditionTypes), ...Object.keys(regionConditionTypes)];
  assert.deepEqual(Object.keys(reasons).toSorted(), types.toSorted());
  for (const [type, byReason] of Object.entries(reasons)) {
    for (const [reason, sentence] of Object.entries(byReason)) {
      assert.match(reason, /^[A-Z][A-Za-z]*$/, type);
      assert.match(sentence, /^[A-Z].*\.$/, `${type} ${reason}`);
    }
  }
});
