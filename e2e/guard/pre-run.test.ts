import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { claimLoopbackNet, type LoopbackNet } from '../light-node/loopback.ts';
import { guardData } from '../../src/federation/guard/guard.ts';
import { GuardedPod } from './guarded-pod.ts';
import {
  answers,
  JolokiaServer,
  normalWhileJoining,
  normalWith,
  recordedHostId,
  startSocketServer,
  type RecordedAnswer,
} from './jolokia-server.ts';

const pod = 'orders-us-rack1-0';
const seedPod = 'orders-eu-rack1-0';
const joinedSeed = [{ pod: seedPod, hostId: recordedHostId }];
const preRun = guardData({ ignition: [], joined: [], waitSeconds: 600 })['pre_run.sh'] ?? '';
const otherHostId = 'b9a0ce1e-5f2b-4d0a-9a57-4c5f1a3a4a10';

describe('pre_run.sh', { concurrency: 4 }, () => {
  let net: LoopbackNet;
  let hosts = 0;

  before(async () => {
    net = await claimLoopbackNet();
  });
  after(() => net[Symbol.asyncDispose]());

  /** An address of this run that no other test uses. */
  const freshAddress = (): string => net.address((hosts += 1));

  test('passes when a seed of the ring is NORMAL, and asks it with one request', async () => {
    await using seed = await JolokiaServer.start(freshAddress(), answers.normal);
    using guarded = new GuardedPod({ name: pod, seeds: [seed.address] });
    guarded.guard({ joined: joinedSeed });
    const script = guarded.run('pre_run.sh');
    assert.equal(await script.exitCode(), 0, script.output);
    assert.equal(guarded.marker, undefined);
    assert.deepEqual(seed.asked, [
      '/jolokia/read/org.apache.cassandra.db:type=StorageService/OperationMode,ClusterName,LocalHostId,JoiningNodes',
    ]);
  });

  test('passes when only the last seed of the list is live', async () => {
    await using seed = await JolokiaServer.start(freshAddress(), answers.normal);
    const silent = freshAddress();
    await using _ = await startSocketServer(silent, () => undefined);
    using guarded = new GuardedPod({ name: pod, seeds: [freshAddress(), silent, seed.address] });
    guarded.guard({ joined: joinedSeed });
    const script = guarded.run('pre_run.sh');
    assert.equal(await script.exitCode(), 0, script.output);
  });

  const refusals: readonly (readonly [string, RecordedAnswer, RegExp])[] = [
    ['is JOINING', answers.joining, /its mode is 'JOINING'/],
    ['is STARTING', answers.starting, /its mode is 'STARTING'/],
    ['is LEAVING', answers.leaving, /its mode is 'LEAVING'/],
    ['is DECOMMISSIONED', answers.decommissioned, /its mode is 'DECOMMISSIONED'/],
    ['is DRAINING', answers.draining, /its mode is 'DRAINING'/],
    ['has no StorageService yet', answers.storageServiceMissing, /not answering as Cassandra/],
    ['asks for credentials', answers.unauthorized, /HTTP 401/],
    ['is of another cluster', normalWith('ClusterName', 'invoices'), /the cluster 'invoices', ours is 'orders'/],
    ['sees a node join', normalWhileJoining('198.18.3.7'), /a node is joining, and they join one at a time/],
    ['is a stranger to the ring', normalWith('LocalHostId', otherHostId), /host ID 'b9a0ce1e-[^']+' is not known/],
    ['has a mode that only begins well', normalWith('OperationMode', 'NORMAL_NOT'), /its mode is 'NORMAL_NOT'/],
    [
      'hides a mode in its cluster name',
      {
        ...answers.joining,
        body: answers.joining.body.replace('"orders"', String.raw`"x\",\"OperationMode\":\"NORMAL"`),
      },
      /its mode is|belongs to the cluster/,
    ],
    [
      'reports an error beside a value',
      { ...answers.normal, body: answers.normal.body.replace('"status":200', '"status":500') },
      /Jolokia reports an error/,
    ],
    [
      'cuts its answer short',
      { ...answers.normal, body: answers.normal.body.slice(0, 250) },
      /not answering as Cassandra/,
    ],
    ['answers with a page', { ...answers.normal, body: '<html>NORMAL</html>' }, /not answering as Cassandra/],
    ['answers with nothing', { ...answers.normal, body: '' }, /not answering as Cassandra/],
    ['answers with a failure of its own', { ...answers.normal, status: 500 }, /HTTP 500/],
    ['redirects', { ...answers.normal, status: 302 }, /HTTP 302/],
  ];
  for (const [behaviour, answer, reason] of refusals) {
    test(`waits, and says why, while the seed ${behaviour}`, async () => {
      await using seed = await JolokiaServer.start(freshAddress(), answer);
      using guarded = new GuardedPod({ name: pod, seeds: [seed.address] });
      guarded.guard({ joined: joinedSeed });
      const script = guarded.run('pre_run.sh');
      await script.says(new RegExp(`${seed.address}: .*(${reason.source})`));
      seed.answer = answers.normal;
      assert.equal(await script.exitCode(), 0, script.output);
      assert.equal(guarded.marker, undefined);
    });
  }

  test('waits, and says why, while seeds are refused, unknown, silent or no HTTP servers', async () => {
    const refused = freshAddress();
    const unknown = `${'a'.repeat(64)}.invalid`;
    const [silent, garbage, closing] = [freshAddress(), freshAddress(), freshAddress()];
    await using silentServer = await startSocketServer(silent, () => undefined);
    await using garbageServer = await startSocketServer(garbage, (socket) =>
      socket.end('SSH-2.0-OpenSSH_9.2\r\n'.repeat(9)),
    );
    await using closingServer = await startSocketServer(closing, (socket) => socket.destroy());
    using guarded = new GuardedPod({ name: pod, seeds: [refused, unknown, silent, garbage, closing] });
    guarded.guard({ joined: joinedSeed });
    const script = guarded.run('pre_run.sh');
    await script.says(
      new RegExp(
        `${refused}: connection refused.*; ${unknown}: no such name; ${silent}: timed out; ${garbage}: .+; ${closing}: no HTTP answer`,
      ),
    );
    assert.ok(script.running);
    for (const server of [silentServer, garbageServer, closingServer]) assert.ok(server.connections() > 0);
    assert.equal(guarded.marker, undefined);
  });

  test('is not stopped by a server that sends without end', async () => {
    const endless = freshAddress();
    await using server = await startSocketServer(endless, (socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n');
      const chunk = Buffer.alloc(65_536, '{');
      const more = (): void => {
        while (!socket.destroyed && socket.write(chunk));
      };
      socket.on('drain', more);
      more();
    });
    using guarded = new GuardedPod({ name: pod, seeds: [endless] });
    guarded.guard({ joined: joinedSeed });
    const script = guarded.run('pre_run.sh');
    await script.says(new RegExp(`${endless}: `));
    assert.ok(script.running);
    assert.ok(server.connections() > 0);
  });

  for (const password of ['s3cret', String.raw`q"uo\te: $(x) 'y'`]) {
    test(`signs in with the credentials it was given (password ${password})`, async () => {
      await using seed = await JolokiaServer.start(freshAddress(), answers.normal, `ring:${password}`);
      using guarded = new GuardedPod({
        name: pod,
        seeds: [seed.address],
        environment: { JOLOKIA_USER: 'ring', JOLOKIA_PASSWORD: password },
      });
      guarded.guard({ joined: joinedSeed });
      const script = guarded.run('pre_run.sh');
      assert.equal(await script.exitCode(), 0, script.output);
      assert.ok(!script.output.includes(password));
    });
  }

  test('waits on HTTP 401 when its credentials are wrong', async () => {
    await using seed = await JolokiaServer.start(freshAddress(), answers.normal, 'ring:s3cret');
    const environment = { JOLOKIA_USER: 'ring', JOLOKIA_PASSWORD: 'wrong' };
    using guarded = new GuardedPod({ name: pod, seeds: [seed.address], environment });
    guarded.guard({ joined: joinedSeed });
    const script = guarded.run('pre_run.sh');
    await script.says(/HTTP 401/);
    assert.ok(script.running);
  });

  test('lets a pod that has left the ring not start, whatever else speaks for it, until it may again', async () => {
    await using seed = await JolokiaServer.start(freshAddress(), answers.normal);
    using guarded = new GuardedPod({ name: pod, seeds: [seed.address] });
    guarded.guard({ joined: joinedSeed, closed: [pod] });
    const script = guarded.run('pre_run.sh');
    await script.says(/does not start: it has left the ring/);
    assert.ok(script.running);
    guarded.guard({ joined: joinedSeed });
    assert.equal(await script.exitCode(), 0, script.output);
  });

  test('lets the ignition pod start alone, as founder', async () => {
    const seeds = [freshAddress()];
    using guarded = new GuardedPod({ name: pod, seeds });
    guarded.guard({ ignition: [{ pod, address: seeds[0] ?? '' }] });
    assert.equal(await guarded.run('pre_run.sh').exitCode(), 0);
    assert.equal(guarded.marker, 'founder');
  });

  test('lets an ignition pod that has joined before start alone, as member', async () => {
    const seeds = [freshAddress()];
    using guarded = new GuardedPod({ name: pod, seeds });
    guarded.guard({
      ignition: [{ pod, address: seeds[0] ?? '' }],
      joined: [...joinedSeed, { pod, hostId: otherHostId }],
    });
    assert.equal(await guarded.run('pre_run.sh').exitCode(), 0);
    assert.equal(guarded.marker, 'member');
  });

  test('follows another ignition pod while nothing has joined yet', async () => {
    await using seed = await JolokiaServer.start(freshAddress(), answers.normal);
    using guarded = new GuardedPod({ name: pod, seeds: [seed.address] });
    guarded.guard({ ignition: [{ pod: seedPod, address: seed.address }] });
    const script = guarded.run('pre_run.sh');
    assert.equal(await script.exitCode(), 0, script.output);
    assert.equal(guarded.marker, undefined);
  });

  test('follows no seed but the ignition pod while nothing has joined yet', async () => {
    await using seed = await JolokiaServer.start(freshAddress(), answers.normal);
    using guarded = new GuardedPod({ name: pod, seeds: [seed.address] });
    guarded.guard({ ignition: [{ pod: seedPod, address: freshAddress() }] });
    const script = guarded.run('pre_run.sh');
    await script.says(/is not known to be of this ring/);
    assert.ok(script.running);
  });

  test('goes by host IDs alone once something has joined, also for the ignition pod', async () => {
    await using seed = await JolokiaServer.start(freshAddress(), answers.normal);
    using guarded = new GuardedPod({ name: pod, seeds: [seed.address] });
    guarded.guard({
      ignition: [{ pod: seedPod, address: seed.address }],
      joined: [{ pod: seedPod, hostId: otherHostId }],
    });
    const script = guarded.run('pre_run.sh');
    await script.says(/is not known to be of this ring/);
    assert.ok(script.running);
  });

  test('lets the only pod that ever joined start alone at once', async () => {
    using guarded = new GuardedPod({ name: pod, seeds: [freshAddress()] });
    guarded.guard({ joined: [{ pod, hostId: otherHostId }] });
    assert.equal(await guarded.run('pre_run.sh').exitCode(), 0);
    assert.equal(guarded.marker, 'member');
  });

  test('lets a joined pod start alone when no seed was live for as long as it has to wait', async () => {
    using guarded = new GuardedPod({ name: pod, seeds: [freshAddress()] });
    guarded.guard({ joined: [...joinedSeed, { pod, hostId: otherHostId }], waitSeconds: 3 });
    const started = performance.now();
    const script = guarded.run('pre_run.sh');
    assert.equal(await script.exitCode(), 0);
    assert.ok(performance.now() - started > 2000);
    assert.match(script.output, /waits for a live seed \(for 3 s at most/);
    assert.match(script.output, /no seed is live after \d+ s: .*connection refused/);
    assert.equal(guarded.marker, 'waited');
  });

  test('keeps a pod that never joined waiting however short the wait of joined pods is', async () => {
    await using seed = await JolokiaServer.start(freshAddress(), answers.joining);
    using guarded = new GuardedPod({ name: pod, seeds: [seed.address] });
    guarded.guard({ joined: joinedSeed, waitSeconds: 0 });
    const script = guarded.run('pre_run.sh');
    await script.says(/JOINING/);
    seed.answer = answers.leaving;
    await script.says(/LEAVING/);
    assert.ok(script.running);
    assert.equal(guarded.marker, undefined);
  });

  test('sees what changes in the ConfigMap while it waits', async () => {
    await using seed = await JolokiaServer.start(freshAddress(), answers.normal);
    using guarded = new GuardedPod({ name: pod, seeds: [seed.address] });
    guarded.configure({ 'pre_run.sh': preRun });
    const script = guarded.run('pre_run.sh');
    await script.says(/is not known to be of this ring/);
    guarded.guard({ joined: joinedSeed });
    assert.equal(await script.exitCode(), 0, script.output);
    assert.equal(guarded.marker, undefined);
  });

  test('waits without any of its files, and takes a malformed wait for 600 s', async () => {
    using guarded = new GuardedPod({ name: pod, seeds: [freshAddress()] });
    guarded.configure({ 'pre_run.sh': preRun });
    const script = guarded.run('pre_run.sh');
    await script.says(/as long as it takes, it never joined/);
    guarded.configure({
      'pre_run.sh': preRun,
      guard_wait_seconds: 'soon',
      joined: `${pod} ${otherHostId}\r\n\n${seedPod} ${recordedHostId}`,
    });
    script.kill();
    const again = guarded.run('pre_run.sh');
    await again.says(/for 600 s at most/);
    assert.equal(guarded.marker, undefined);
  });

  test('counts another pod as joined even when its line is incomplete', async () => {
    using guarded = new GuardedPod({ name: pod, seeds: [freshAddress()] });
    guarded.configure({ 'pre_run.sh': preRun, joined: `${pod} ${otherHostId}\n${seedPod}\n` });
    const script = guarded.run('pre_run.sh');
    await script.says(/for 600 s at most/);
    assert.equal(guarded.marker, undefined);
  });

  test("runs the user's script first, with the same environment", async () => {
    await using seed = await JolokiaServer.start(freshAddress(), answers.normal);
    using guarded = new GuardedPod({ name: pod, seeds: [seed.address] });
    guarded.guard({ joined: joinedSeed, userPreRun: '#!/bin/false\necho "seeds are $CASSANDRA_SEEDS"\n' });
    const script = guarded.run('pre_run.sh');
    assert.equal(await script.exitCode(), 0, script.output);
    assert.match(script.output, new RegExp(`^seeds are ${seed.address}\n`));
  });

  test("fails when the user's script fails, before it asks any seed", async () => {
    await using seed = await JolokiaServer.start(freshAddress(), answers.normal);
    using guarded = new GuardedPod({ name: pod, seeds: [seed.address] });
    guarded.guard({ joined: joinedSeed, userPreRun: 'exit 7\n' });
    assert.equal(await guarded.run('pre_run.sh').exitCode(), 7);
    assert.deepEqual(seed.asked, []);
  });

  test('forgets that an earlier attempt was let through alone', async () => {
    await using seed = await JolokiaServer.start(freshAddress(), answers.normal);
    using guarded = new GuardedPod({ name: pod, seeds: [seed.address] });
    guarded.marker = 'member';
    guarded.guard({ joined: joinedSeed });
    assert.equal(await guarded.run('pre_run.sh').exitCode(), 0);
    assert.equal(guarded.marker, undefined);
  });
});
