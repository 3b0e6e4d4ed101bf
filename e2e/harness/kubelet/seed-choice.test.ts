import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { Lookup } from '../dns/zone.ts';
import { chooseSeeds } from './seed-choice.ts';

describe('the choice of seeds', () => {
  const self = { hostName: 'me.cass.svc.cluster.local', address: '198.18.1.16' };
  const names: Record<string, Lookup> = {
    up: { kind: 'addresses', addresses: ['127.91.0.1'] },
    down: { kind: 'addresses', addresses: ['127.91.0.2'] },
    unclear: { kind: 'outage' },
  };
  let jolokia: Server;
  before(async () => {
    // An open port is all that the image's run.sh asks for.
    jolokia = createServer((socket) => socket.end()).listen(8778, '127.91.0.1');
    await once(jolokia, 'listening');
  });
  after(() => jolokia.close());

  async function choose(listed: string) {
    const said: string[] = [];
    const resolve = (name: string): Lookup => names[name] ?? { kind: 'unknown' };
    const say = (line: string): void => void said.push(line);
    const choice = await chooseSeeds(listed, self, resolve, say, new AbortController().signal);
    return { choice, said };
  }

  test('takes the whole list as soon as one entry accepts a connection', async () => {
    const { choice, said } = await choose('nobody,down,up,unclear');
    assert.deepEqual(choice, { kind: 'seeds', seeds: 'nobody,down,up,unclear' });
    assert.ok(!said.some((line) => line.includes('unclear')));
  });

  test('takes the pod itself when no entry does: the trap that the guard closes', async () => {
    const { choice } = await choose('nobody,down,127.91.0.3');
    assert.deepEqual(choice, { kind: 'seeds', seeds: self.hostName });
  });

  test('fails only when the resolver cannot tell, and only when it comes to that entry', async () => {
    const { choice, said } = await choose('down,unclear,up');
    assert.equal(choice.kind, 'failed');
    assert.ok(said.includes('Temporary failure in name resolution'));
  });

  test('takes the address of the pod when there is no list', async () => {
    assert.deepEqual((await choose('')).choice, { kind: 'seeds', seeds: self.address });
  });

  test('takes an entry that is an address as it is', async () => {
    assert.deepEqual((await choose('127.91.0.1')).choice, { kind: 'seeds', seeds: '127.91.0.1' });
  });
});
