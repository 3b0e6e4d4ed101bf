import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { GuardedPod } from './guarded-pod.ts';

const seeds = ['orders-eu-rack1-0.eu.example.net', 'orders-us-rack1-0.us.example.net'];
const hostName = 'orders-us-rack1-0.orders.cassandra.svc.cluster.local';

/** cassandra.yaml as it is when run.sh has put `value` in. */
function configuration(value: string): string {
  return `cluster_name: orders
# - seeds: are explained here
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: ${value}
listen_address: 198.18.1.11
`;
}

/** Runs post_run.sh over that configuration. */
async function postRun(
  value: string,
  options: { marker?: string; userPostRun?: string; seeds?: readonly string[] } = {},
): Promise<{ exitCode: number | null; output: string; configuration: string }> {
  using guarded = new GuardedPod({ name: 'orders-us-rack1-0', seeds: options.seeds ?? seeds });
  guarded.guard({ userPostRun: options.userPostRun });
  writeFileSync(guarded.path('conf', 'cassandra.yaml'), configuration(value));
  if (options.marker !== undefined) guarded.marker = options.marker;
  const script = guarded.run('post_run.sh');
  const exitCode = await script.exitCode();
  return {
    exitCode,
    output: script.output,
    configuration: readFileSync(guarded.path('conf', 'cassandra.yaml'), 'utf8'),
  };
}

describe('post_run.sh', () => {
  test('passes when cassandra.yaml names the seeds of the pod', async () => {
    const result = await postRun(`"${seeds.join(',')}"`);
    assert.equal(result.exitCode, 0, result.output);
    assert.equal(result.configuration, configuration(`"${seeds.join(',')}"`));
  });

  for (const [case_, value] of [
    ['the pod itself alone', `"${hostName}"`],
    ['fewer seeds', `"${seeds[0]}"`],
    ['more seeds', `"${[...seeds, hostName].join(',')}"`],
    ['no seeds', '""'],
  ] as const) {
    test(`fails with a sentence when cassandra.yaml names ${case_}`, async () => {
      const result = await postRun(value);
      assert.equal(result.exitCode, 1);
      assert.ok(result.output.includes(`cassandra.yaml names the seeds ${value} instead of "${seeds.join(',')}"`));
    });
  }

  test('fails when the pod was given no seeds at all', async () => {
    assert.notEqual((await postRun('""', { seeds: [] })).exitCode, 0);
  });

  test('lets the founder be its own only seed', async () => {
    const result = await postRun(`"${hostName}"`, { marker: 'founder' });
    assert.equal(result.exitCode, 0, result.output);
    assert.equal(result.configuration, configuration(`"${hostName}"`));
  });

  test('gives a member that starts alone all seeds and itself, so that it finds the others later', async () => {
    const result = await postRun(`"${hostName}"`, { marker: 'member' });
    assert.equal(result.exitCode, 0, result.output);
    assert.match(result.configuration, new RegExp(`\n      - seeds: "${seeds.join(',')},198.18.1.11"\n`));
    assert.match(result.configuration, /\nlisten_address: 198.18.1.11\n$/);
  });

  test("runs the user's script first and checks what it leaves behind", async () => {
    const userPostRun = `sed -i 's/- seeds: .*/- seeds: "elsewhere"/' "$CASSANDRA_CONF/cassandra.yaml"\n`;
    const result = await postRun(`"${seeds.join(',')}"`, { userPostRun });
    assert.equal(result.exitCode, 1);
    assert.match(result.output, /names the seeds "elsewhere" instead/);
  });

  test("fails when the user's script fails", async () => {
    assert.equal((await postRun(`"${seeds.join(',')}"`, { userPostRun: 'exit 9\n' })).exitCode, 9);
  });
});
