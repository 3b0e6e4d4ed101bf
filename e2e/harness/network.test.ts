import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Network, planRegions, regionsMax, type CutStyle } from './network.ts';
import { command } from './run/command.ts';
import { Run } from './run/run.ts';
import { slotCount } from './run/slot.ts';
import { waitFor } from './wait-for.ts';

test('no two slots share a name or an address', () => {
  const names = Array.from({ length: regionsMax }, (_, index) => `r${index}`);
  const all = Array.from({ length: slotCount }, (_, slot) => planRegions(slot, names)).flat();
  const addresses = all.flatMap(({ apiServerAddress, podAddresses }) => [apiServerAddress, ...podAddresses]);
  assert.equal(new Set(addresses).size, addresses.length);
  assert.equal(new Set(all.map(({ namespace }) => namespace)).size, all.length);
  assert.equal(new Set(all.map(({ subnet }) => subnet)).size, slotCount * regionsMax);
  assert.ok(addresses.every((address) => /^198\.1[89]\./.test(address)));
});

describe('between regions', () => {
  const port = 7000;
  let run: Run;
  let network: Network;

  const patienceMs = 1_500;

  /** How a connection from one region's pod to another region's fares. */
  async function connect(from: string | undefined, to: string): Promise<'connected' | 'unreachable' | 'timeout'> {
    const source = `
      const socket = require('node:net').connect(${port}, '${to}');
      const end = (word) => { console.log(word); process.exit(); };
      socket.on('connect', () => end('connected'));
      socket.on('error', (error) => end(error.code === 'ECONNREFUSED' ? 'connected' : 'unreachable'));
      setTimeout(() => end('timeout'), ${patienceMs});`;
    const argv = [process.execPath, '-e', source];
    const inNamespace = from === undefined ? argv : ['ip', 'netns', 'exec', from, ...argv];
    return (await command(inNamespace[0] as string, inNamespace.slice(1))).trim() as 'connected';
  }

  function region(name: string) {
    const found = network.regions.find((each) => each.name === name);
    assert.ok(found);
    return { namespace: found.namespace, pod: found.podAddresses[5] as string, api: found.apiServerAddress };
  }

  before(async () => {
    run = await Run.start();
    network = await Network.create(run, ['eu', 'us', 'ap']);
    for (const { name, namespace } of network.regions) {
      const source = `require('node:net').createServer((socket) => socket.end()).listen(${port}, '0.0.0.0')`;
      run.spawn([process.execPath, '-e', source], { log: `${run.directory}/${name}.log`, namespace });
    }
    for (const { apiServerAddress } of network.regions)
      await waitFor(async () => (await connect(undefined, apiServerAddress)) === 'connected', {
        what: `${apiServerAddress} to listen`,
        timeoutMs: 20_000,
      });
  });
  after(() => run.stop());

  const styles = [
    ['blackhole', 'timeout'],
    ['unreachable', 'unreachable'],
  ] as const satisfies [CutStyle, string][];
  for (const [style, failure] of styles) {
    test(`a cut of style ${style} holds both ways, spares others and the host, and heals`, async () => {
      const [eu, us, ap] = [region('eu'), region('us'), region('ap')];
      assert.equal(await connect(eu.namespace, us.pod), 'connected');
      await network.cut('us', style);
      assert.equal(await connect(eu.namespace, us.pod), failure);
      assert.equal(await connect(us.namespace, eu.pod), failure);
      assert.equal(await connect(us.namespace, us.pod), 'connected');
      assert.equal(await connect(eu.namespace, ap.pod), 'connected');
      assert.equal(await connect(undefined, us.api), 'connected');
      await network.heal('us');
      assert.equal(await connect(eu.namespace, us.pod), 'connected');
      assert.equal(await connect(us.namespace, eu.pod), 'connected');
    });
  }

  for (const [style, failure] of styles) {
    test(`a cut of style ${style} and scope everything takes the API server away from the host too`, async () => {
      await network.cut('us', style, 'everything');
      assert.equal(await connect(undefined, region('us').api), failure);
      assert.equal(await connect(undefined, region('eu').api), 'connected');
      await network.heal('us');
      assert.equal(await connect(undefined, region('us').api), 'connected');
    });
  }

  test('of two cuts that overlap, one may heal and the other holds', async () => {
    const [eu, us, ap] = [region('eu'), region('us'), region('ap')];
    await Promise.all([network.cut('us', 'unreachable'), network.cut('ap', 'unreachable')]);
    await network.heal('us');
    assert.equal(await connect(us.namespace, ap.pod), 'unreachable');
    assert.equal(await connect(us.namespace, eu.pod), 'connected');
    await network.heal('ap');
    assert.equal(await connect(us.namespace, ap.pod), 'connected');
  });

  test('a cut between two regions leaves their way to the third', async () => {
    const [eu, us, ap] = [region('eu'), region('us'), region('ap')];
    await network.cutBetween('eu', 'us', 'unreachable');
    assert.equal(await connect(eu.namespace, us.pod), 'unreachable');
    assert.equal(await connect(us.namespace, eu.pod), 'unreachable');
    assert.equal(await connect(eu.namespace, ap.pod), 'connected');
    assert.equal(await connect(ap.namespace, us.pod), 'connected');
    await network.healBetween('us', 'eu');
    assert.equal(await connect(eu.namespace, us.pod), 'connected');
  });
});
