import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlannerWorld } from '../federation/testing.ts';
import type { Snapshot, UnknownRegion } from '../federation/snapshot.ts';
import { asLookedAt } from './sight.ts';

const away: UnknownRegion = { known: false, reason: 'BehindOwnWrite', message: 'a write of ours is under way there' };

function withRegion(snapshot: Snapshot, name: string, region: UnknownRegion): Snapshot {
  return { ...snapshot, regions: { ...snapshot.regions, [name]: region } };
}

test('a region that is out of sight for a moment is looked at as it was before, however often', () => {
  const seen = new PlannerWorld().snapshot();
  const now = withRegion(seen, 'us', { ...away, isPassing: true });
  const once = asLookedAt(now, seen);
  assert.equal(once.regions['us'], seen.regions['us']);
  assert.equal(asLookedAt(now, once).regions['us'], seen.regions['us']);
});

test('one that is out of sight for longer, or was never seen, is not known', () => {
  const seen = new PlannerWorld().snapshot();
  assert.equal(asLookedAt(withRegion(seen, 'us', away), seen).regions['us'], away);
  const passing = { ...away, isPassing: true } as const;
  assert.equal(asLookedAt(withRegion(seen, 'us', passing), undefined).regions['us'], passing);
});

test('what can be seen is looked at as it is now', () => {
  const before = new PlannerWorld().snapshot();
  const now = new PlannerWorld().snapshot();
  assert.equal(asLookedAt(now, before).regions['us'], now.regions['us']);
});
