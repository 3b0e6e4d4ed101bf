import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition, RegionStatus, Status } from '../api/schema.ts';
import type { HubState } from './federation-metrics.ts';
import { Metrics } from './metrics.ts';

const condition = (type: string, status: Condition['status'], reason: string): Condition => ({
  type,
  status,
  reason,
  message: reason,
  lastTransitionTime: '2026-01-01T00:00:00Z',
});

async function samplesOf(state: HubState | undefined): Promise<string[]> {
  const metrics = new Metrics();
  if (state) metrics.hub(() => state);
  const { text } = await metrics.page();
  return text.split('\n').filter((line) => /^ringmaster_(federation|hub)_/.test(line));
}
const of = (status: Status | undefined): Promise<string[]> =>
  samplesOf({ cacheAgeMs: undefined, federations: [{ namespace: 'cassandra', name: 'orders', status }] });
const orders = 'federation_namespace="cassandra",federation="orders"';

test('each condition is one series with its present status and reason', async () => {
  const conditions = [condition('Ready', 'False', 'Changing'), condition('Stalled', 'False', 'Progressing')];
  assert.deepEqual((await of({ conditions })).slice(0, 2), [
    `ringmaster_federation_condition{${orders},condition="Ready",status="False",reason="Changing"} 1`,
    `ringmaster_federation_condition{${orders},condition="Stalled",status="False",reason="Progressing"} 1`,
  ]);
});

test('whatever words a status holds, labels hold those that are known', async () => {
  const region = { name: 'eu', stage: 'Dancing' } as unknown as RegionStatus;
  const conditions = [condition('Ready', 'False', 'Because'), condition('Happy', 'True', 'Ready')];
  const samples = await of({ conditions, regions: [region] });
  assert.deepEqual(samples.slice(0, 2), [
    `ringmaster_federation_condition{${orders},condition="Ready",status="False",reason="Other"} 1`,
    `ringmaster_federation_regions{${orders},stage="Unknown"} 1`,
  ]);
});

test('regions are counted by stage and nodes together, and a region that changes is named', async () => {
  const eu: RegionStatus = {
    name: 'eu',
    stage: 'Running',
    nodes: 3,
    readyNodes: 2,
    changingSince: '2026-01-01T00:00:00.500Z',
  };
  const us: RegionStatus = { name: 'us', stage: 'Running', nodes: 3, readyNodes: 3 };
  assert.deepEqual(
    await of({ regions: [eu, us, { name: 'ap', stage: 'Joining' }, { name: 'old', stage: 'Removed', nodes: 3 }] }),
    [
      `ringmaster_federation_regions{${orders},stage="Running"} 2`,
      `ringmaster_federation_regions{${orders},stage="Joining"} 1`,
      `ringmaster_federation_regions{${orders},stage="Removed"} 1`,
      `ringmaster_federation_nodes{${orders}} 6`,
      `ringmaster_federation_ready_nodes{${orders}} 5`,
      `ringmaster_federation_changing_since_timestamp_seconds{${orders},region="eu"} 1767225600.5`,
    ],
  );
});

test('the age of the cache of the hub is shown once there is one', async () => {
  assert.deepEqual(await samplesOf(undefined), []);
  assert.deepEqual(await samplesOf({ cacheAgeMs: undefined, federations: [] }), []);
  assert.deepEqual(await samplesOf({ cacheAgeMs: 2500, federations: [] }), ['ringmaster_hub_cache_age_seconds 2.5']);
});

test('what is gone is not shown any more', async () => {
  const metrics = new Metrics();
  const federations = [
    { namespace: 'cassandra', name: 'orders', status: { conditions: [condition('Ready', 'True', 'Ready')] } },
  ];
  metrics.hub(() => ({ cacheAgeMs: 0, federations }));
  assert.match((await metrics.page()).text, /^ringmaster_federation_condition\{/m);
  federations.pop();
  assert.doesNotMatch((await metrics.page()).text, /^ringmaster_federation_condition\{/m);
});
