import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { command } from '../harness/run/command.ts';
import { journalDirectory } from '../harness/run/journal.ts';
import { waitFor } from '../harness/index.ts';
import type { Mcc } from '../ring/federation.ts';

const main = join(import.meta.dirname, 'main.ts');
const hostId = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/;
const startTimeoutMs = 600_000;

suite('the demo', () => {
  let temporary: string;
  let child: ChildProcess;
  let output: string;

  // A TMPDIR of its own tells apart what this demo makes from what other runs on this machine make meanwhile.
  beforeEach(() => {
    temporary = mkdtempSync(join(tmpdir(), 'ringmaster-demo-test-'));
    output = '';
  });
  afterEach(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    rmSync(temporary, { recursive: true, force: true });
  });

  function start(...args: string[]): void {
    child = spawn(process.execPath, [main, ...args], {
      env: { ...process.env, TMPDIR: temporary },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }

  async function exitCode(): Promise<number | null> {
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    return child.exitCode;
  }

  /** The names of this demo's runs: each is `<slot>-<random>`, and its network namespaces are `<slot>-<region>`. */
  function runs(): string[] {
    const directory = join(temporary, 'ringmaster-harness');
    return existsSync(directory) ? readdirSync(directory) : [];
  }

  function untilOutput(text: RegExp): Promise<unknown> {
    return untilTrue(`the demo to say ${text}`, () => text.test(output));
  }

  function untilTrue(what: string, holds: () => boolean | Promise<boolean>): Promise<unknown> {
    return waitFor(holds, {
      what,
      timeoutMs: startTimeoutMs,
      intervalMs: 50,
      giveUp: () => (child.exitCode === null ? undefined : `it ended: ${output}`),
    });
  }

  async function assertNothingLeft(run: string): Promise<void> {
    assert.deepEqual(runs(), [], 'directories of runs');
    assert.deepEqual(processesIn(temporary), [], 'processes');
    const [slot = ''] = run.split('-');
    const journal = join(journalDirectory, `slot-${slot.slice(2)}.jsonl`);
    const namespaces = await command('ip', ['netns', 'list']);
    // Another run may have taken the slot since; then the namespaces are its own and its journal says so.
    const taken = existsSync(journal) && !readFileSync(journal, 'utf8').includes(run);
    if (!taken) {
      assert.ok(!existsSync(journal), 'the journal of the run');
      assert.doesNotMatch(namespaces, new RegExp(`^${slot}-`, 'm'));
    }
  }

  test('proves one ring from the nodes themselves, exits with 0 and leaves nothing behind', async () => {
    start('--once');
    await untilOutput(/files and logs in \S+/);
    const [run = ''] = runs();
    assert.equal(await exitCode(), 0, output);
    assert.match(output, /one ring of 3 regions: [\d.]+ s after the start/);

    const hosts = ['eu', 'us', 'ap'].flatMap((from) => ['eu', 'us', 'ap'].map((region) => ({ from, region })));
    const seen = hosts.map(({ from, region }) => {
      const pattern = `^  ${from} +${region} +orders-${region}-rack1-0 +198\\S+ +(${hostId.source}) +up, normal +${region}$`;
      return [region, new RegExp(pattern, 'm').exec(output)?.[1]] as const;
    });
    assert.ok(
      seen.every(([, id]) => id !== undefined),
      output,
    );
    assert.equal(new Set(seen.map(String)).size, 3, 'each host has one ID in all views');
    assert.equal(new Set(seen.map(([, id]) => id)).size, 3, 'no two hosts have the same ID');

    assert.match(output, /^ +eu +EACH_QUORUM +INSERT .* acknowledged$/m);
    assert.match(output, /^ +us +LOCAL_QUORUM +SELECT .* written in eu$/m);
    assert.match(output, /^ +ap +LOCAL_ONE +SELECT .* written in eu$/m);
    await assertNothingLeft(run);
  });

  test('stays up until it is interrupted, and a second interrupt does not end the removal half-way', async () => {
    start();
    await untilOutput(/Ctrl-C removes everything/);
    const [run = ''] = runs();
    const kubectl = join(temporary, 'ringmaster-harness', run, 'bin', 'kubectl');
    assert.match(await command(kubectl, ['-n', 'cassandra', 'get', 'mcc']), /orders +True +3\/3/);
    child.kill('SIGINT');
    await untilOutput(/Removing/);
    child.kill('SIGINT');
    assert.equal(await exitCode(), 0, output);
    await assertNothingLeft(run);
  });

  test('lets a region leave the ring and join it again by the very commands that it prints', async () => {
    start();
    await untilOutput(/Ctrl-C removes everything/);
    const [run = ''] = runs();
    const kubectl = join(temporary, 'ringmaster-harness', run, 'bin', 'kubectl');
    const [, chapter = ''] = /Have a region leave(.*?)What changes is said/s.exec(output) ?? [];
    const commands = [...chapter.matchAll(/^  (\S.*?)(?: +# .*)?$/gm)].map(([, line = '']) => line);
    const [define = '', leave = '', alter = '', drop = '', deleteDisks = '', join_ = ''] = commands;
    assert.equal(commands.length, 8, output);
    const type = (line: string): Promise<string> =>
      command('bash', ['-c', `kubectl() { ${kubectl} --namespace cassandra "$@"; }; ${define}\n${line}`]);
    const mcc = async (): Promise<Mcc> =>
      JSON.parse(await command(kubectl, ['-n', 'cassandra', 'get', 'mcc', 'orders', '-o', 'json'])) as Mcc;
    const until = (what: string, holds: (status: Mcc['status']) => boolean): Promise<unknown> =>
      untilTrue(what, async () => {
        const { status } = await mcc();
        if (!holds(status)) throw new Error(JSON.stringify(status));
        return true;
      });
    const asks = (status: Mcc['status']): boolean =>
      status?.conditions?.some(
        ({ type: of, status: is, reason }) => of === 'Stalled' && is === 'True' && reason === 'ReplicationGate',
      ) ?? false;
    const isReady = (status: Mcc['status']): boolean =>
      status?.conditions?.some(({ type: of, status: is }) => of === 'Ready' && is === 'True') ?? false;
    const stageOf = (status: Mcc['status']): string | undefined =>
      status?.regions?.find(({ name }) => name === 'ap')?.stage;

    await type(leave);
    await until('the gate before ap leaves', asks);
    await type(alter);
    await until('ap to be Removed', (status) => stageOf(status) === 'Removed');
    await type(drop);
    await until('two regions', (status) => status?.regions?.length === 2 && isReady(status));
    await type(deleteDisks);
    await type(join_);
    await until('the gate before ap joins', (status) => asks(status) && stageOf(status) === 'Waiting');
    await type(alter);
    await until('the gate after ap has joined', (status) => asks(status) && stageOf(status) === 'Running');
    await type(alter);
    await until('one ring of three again', (status) => status?.regions?.length === 3 && isReady(status));
    child.kill('SIGINT');
    assert.equal(await exitCode(), 0, output);
    await assertNothingLeft(run);
  });

  test('leaves nothing behind when it is interrupted while the regions start', async () => {
    start('--once');
    await untilTrue('a control plane to start', () =>
      runs().some((run) => existsSync(join(temporary, 'ringmaster-harness', run, 'us', 'control-plane'))),
    );
    const [run = ''] = runs();
    child.kill('SIGINT');
    assert.equal(await exitCode(), 130, output);
    await assertNothingLeft(run);
  });

  test('leaves nothing behind when it is ended while the ring forms', async () => {
    start('--once');
    await untilOutput(/orders-eu-rack1-0 starts Cassandra/);
    const [run = ''] = runs();
    child.kill('SIGTERM');
    assert.equal(await exitCode(), 130, output);
    await assertNothingLeft(run);
  });

  test('exits with 1, says why and keeps the logs when it fails', async () => {
    start('--once');
    await untilOutput(/ringmaster runs/);
    const [run = ''] = runs();
    const [controller] = processesIn(temporary).filter(({ command: line }) => line.includes('src/cli/main.ts'));
    assert.ok(controller);
    process.kill(controller.pid, 'SIGKILL');
    assert.equal(await exitCode(), 1, output);
    assert.match(output, /The demo failed after .*the controller has ended/);
    const [, kept = ''] = /Its logs: (\S+)/.exec(output) ?? [];
    assert.ok(readdirSync(kept).includes('controller-main.log'));
    assert.ok(readdirSync(join(kept, 'eu', 'control-plane')).includes('kube-apiserver.log'));
    await assertNothingLeft(run);
  });
});

/** Processes that work in `directory` or name it in their command line. */
function processesIn(directory: string): { pid: number; command: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      try {
        const line = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
        const workingDirectory = readlinkSync(`/proc/${name}/cwd`);
        return line.includes(directory) || workingDirectory.startsWith(directory)
          ? [{ pid: Number(name), command: line }]
          : [];
      } catch {
        // It ended between the two looks.
        return [];
      }
    });
}
