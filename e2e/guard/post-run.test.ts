import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { readJvmOptions } from '../harness/kubelet/bootstrap.ts';
import { GuardedPod } from './guarded-pod.ts';

const seeds = ['orders-eu-rack1-0.eu.example.net', 'orders-us-rack1-0.us.example.net'];
const pod = 'orders-us-rack1-0';
const hostName = `${pod}.orders.cassandra.svc.cluster.local`;
const hostId = 'b9a0ce1e-5f2b-4d0a-9a57-4c5f1a3a4a10';
/** A member of the ring, so that nothing has to be changed. */
const joinedBefore = [{ pod, hostId }];

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

interface Given {
  marker?: string;
  userPostRun?: string;
  seeds?: readonly string[];
  joined?: readonly { pod: string; hostId: string }[];
  /** How often the container runs; by default once. */
  times?: number;
}

interface Result {
  exitCode: number | null;
  output: string;
  configuration: string;
  /** What the start of Cassandra gets from cassandra-env.sh. */
  jvmOptions: string[];
}

/** Runs post_run.sh over that configuration. */
async function postRun(value: string, given: Given = {}): Promise<Result> {
  const { marker, userPostRun, joined = joinedBefore, times = 1 } = given;
  using guarded = new GuardedPod({ name: pod, seeds: given.seeds ?? seeds });
  guarded.guard({ userPostRun, joined });
  writeFileSync(guarded.path('conf', 'cassandra.yaml'), configuration(value));
  writeFileSync(guarded.path('conf', 'cassandra-env.sh'), 'JVM_OPTS="$JVM_OPTS -Xss256k"');
  if (marker !== undefined) guarded.marker = marker;
  let script = guarded.run('post_run.sh');
  for (let run = 1; run < times; run++) {
    assert.equal(await script.exitCode(), 0, script.output);
    script = guarded.run('post_run.sh');
  }
  return {
    exitCode: await script.exitCode(),
    output: script.output,
    configuration: readFileSync(guarded.path('conf', 'cassandra.yaml'), 'utf8'),
    jvmOptions: readJvmOptions(guarded.path('conf')),
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

  for (const marker of ['member', 'waited']) {
    test(`gives one that starts alone (${marker}) all seeds and itself, so that it finds the others later`, async () => {
      const result = await postRun(`"${hostName}"`, { marker });
      assert.equal(result.exitCode, 0, result.output);
      assert.equal(result.configuration, configuration(`"${seeds.join(',')},198.18.1.11"`));
    });
  }

  describe('for a pod that never joined and has seen a live seed', () => {
    const [eu] = seeds;
    const ap = 'orders-ap-rack1-0.ap.example.net';
    const without = `"${eu},${ap}"`;
    for (const [how, itself] of [
      ['by its name', `${pod}.us.example.net`],
      ['by its name within another', `us-${pod}-cassandra.example.net`],
      ['by its address', '198.18.1.11'],
    ] as const) {
      test(`takes the pod out of its own seeds, known ${how}, so that it neither founds a ring nor skips the bootstrap`, async () => {
        const listed = [eu ?? '', itself, ap];
        const result = await postRun(`"${listed.join(',')}"`, { seeds: listed, joined: [] });
        assert.equal(result.exitCode, 0, result.output);
        assert.equal(result.configuration, configuration(without));
        assert.deepEqual(result.jvmOptions, ['-Xss256k']);
      });
    }

    test('leaves the seeds as they are when the pod is not among its seeds', async () => {
      const listed = [eu ?? '', 'orders-us-rack1-01.us.example.net', '198.18.1.110'];
      const result = await postRun(`"${listed.join(',')}"`, { seeds: listed, joined: [] });
      assert.equal(result.exitCode, 0, result.output);
      assert.equal(result.configuration, configuration(`"${listed.join(',')}"`));
    });

    test('fails with a sentence when the pod is its own only seed', async () => {
      const result = await postRun(`"${seeds[1]}"`, { seeds: seeds.slice(1), joined: [] });
      assert.equal(result.exitCode, 1);
      assert.match(result.output, /has never joined, and is the only seed itself/);
    });

    test('is refused, first of all, when cassandra.yaml names other seeds', async () => {
      const result = await postRun(`"${hostName}"`, { joined: [] });
      assert.equal(result.exitCode, 1);
      assert.match(result.output, /instead of/);
    });
  });

  for (const [case_, value] of [
    ['the pod itself', `"${hostName}"`],
    ['all seeds, of which one has an open port', `"${seeds.join(',')}"`],
  ] as const) {
    test(`makes Cassandra refuse an empty disk after the wait, once, when run.sh chose ${case_}`, async () => {
      const result = await postRun(value, { marker: 'waited', times: 2 });
      assert.equal(result.exitCode, 0, result.output);
      assert.deepEqual(result.jvmOptions, ['-Xss256k', '-Dcassandra.replace_address_first_boot=192.0.2.1']);
    });
  }

  for (const marker of ['founder', 'member']) {
    test(`lets a ${marker} that need not wait start with an empty disk`, async () => {
      const result = await postRun(`"${hostName}"`, { marker });
      assert.deepEqual(result.jvmOptions, ['-Xss256k']);
    });
  }

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
