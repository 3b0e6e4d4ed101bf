import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { waitFor } from '../harness/wait-for.ts';
import { claimLoopbackNet, type LoopbackNet } from './loopback.ts';
import { LightNodeProcess } from './spawn-light-node.ts';

/** Asked of Jolokia 1.7.2 in a node of Cassandra 5.0.8 that was alone in its ring; stack traces cut to one line. */
interface Recorded {
  method: 'GET' | 'POST';
  path: string;
  body?: unknown;
  answer: unknown;
}

const recorded = JSON.parse(
  await readFile(join(import.meta.dirname, 'recorded-answers.json'), 'utf8'),
) as readonly Recorded[];

describe('Jolokia on a light node', () => {
  let net: LoopbackNet;
  let directory: string;
  let node: LightNodeProcess;

  before(async () => {
    net = await claimLoopbackNet();
    directory = await mkdtemp(join(tmpdir(), 'light-node-jolokia-'));
    node = new LightNodeProcess({ address: net.address(1), seeds: [net.address(1)], data: directory });
    await waitFor(() => node.isNormal(), { what: 'the node to be NORMAL', timeoutMs: 300_000 });
  });
  after(async () => {
    await node.kill();
    await net[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  for (const { method, path, body, answer } of recorded) {
    test(`answers ${method} ${path}${body === undefined ? '' : JSON.stringify(body)} as Cassandra does`, async () => {
      const hostId = await node.read<string>('LocalHostId');
      assert.deepEqual(
        neutral(await node.ask(path, body), node.address, hostId),
        neutral(answer, '127.0.201.20', recordedHostId()),
      );
    });
  }
});

function recordedHostId(): string {
  const text = JSON.stringify(recorded);
  return /"LocalHostId":"([^"]+)"/.exec(text)?.[1] ?? '';
}

/** Without what differs from node to node, and without the echo of a proxy target, which light nodes do not have. */
function neutral(answer: unknown, address: string, hostId: string): unknown {
  const text = JSON.stringify(answer, (key, value: unknown) =>
    key === 'timestamp' || key === 'stacktrace' ? typeof value : key === 'target' ? undefined : value,
  );
  return JSON.parse(text.replaceAll(address, 'ADDRESS').replaceAll(hostId, 'HOST-ID'));
}
