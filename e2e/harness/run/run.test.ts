import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { Network } from '../network.ts';
import { command } from './command.ts';
import { Journal } from './journal.ts';
import { identify, isRunning } from './processes.ts';
import { Run } from './run.ts';
import { slotCount } from './slot.ts';

const abandoned = join(import.meta.dirname, 'abandoned-run.ts');

async function namespaces(): Promise<string[]> {
  const list = await command('ip', ['netns', 'list']);
  return list.split('\n').flatMap((line) => line.split(' ')[0] || []);
}

test('two runs side by side have slots, directories, namespaces and links of their own', async () => {
  const one = await Run.start();
  const other = await Run.start();
  try {
    assert.notEqual(one.slot, other.slot);
    assert.notEqual(one.directory, other.directory);
    const networks = await Promise.all([Network.create(one, ['eu', 'us']), Network.create(other, ['eu', 'us'])]);
    const names = networks.flatMap(({ regions }) => regions.map(({ namespace }) => namespace));
    assert.equal(new Set(names).size, 4);
    const existing = await namespaces();
    assert.ok(names.every((name) => existing.includes(name)));
    await one.stop();
    const left = await namespaces();
    assert.deepEqual(
      names.map((name) => left.includes(name)),
      [false, false, true, true],
      'stopping one run leaves the other alone',
    );
  } finally {
    await one.stop();
    await other.stop();
  }
  assert.ok(!existsSync(one.directory) && !existsSync(other.directory));
});

test('the next start removes everything of a run that was killed', async () => {
  const holder = spawn(process.execPath, [abandoned], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: holder.stdout }), 'line')) as [string];
  const left = JSON.parse(line) as { slot: number; directory: string; orphan: number; namespace: string };
  const orphan = identify(left.orphan);
  assert.ok(orphan);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  assert.ok(isRunning(orphan), 'the orphan outlives the run, or this test proves nothing');
  const next = await Run.start();
  try {
    assert.ok(!isRunning(orphan));
    assert.ok(!existsSync(left.directory));
    assert.ok(!existsSync(`/etc/netns/${left.namespace}`));
    assert.ok(!(await namespaces()).includes(left.namespace));
    const links = JSON.parse(await command('ip', ['-json', 'link', 'show'])) as { ifname: string }[];
    assert.ok(!links.some(({ ifname }) => ifname === `rm${left.slot}`));
  } finally {
    await next.stop();
  }
});

test('a recorded pid that another process has now is left alone', async () => {
  const bystander = spawn('sleep', ['60'], { stdio: 'ignore' });
  try {
    const identity = identify(bystander.pid as number);
    assert.ok(identity);
    // A number that no slot has, so that this journal is nobody's.
    const journal = new Journal(slotCount + 1);
    journal.begin();
    journal.record({ kind: 'process', pid: identity.pid, startTime: identity.startTime - 1 });
    await journal.undo();
    assert.ok(isRunning(identity));
    journal.begin();
    journal.record({ kind: 'process', ...identity });
    await journal.undo();
    assert.ok(!isRunning(identity));
  } finally {
    bystander.kill('SIGKILL');
  }
});
