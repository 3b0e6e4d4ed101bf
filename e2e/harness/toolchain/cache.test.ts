import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { waitFor } from '../wait-for.ts';
import { cached } from './cache.ts';

describe('the cache', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ringmaster-cache-'));
  const lockFile = join(directory, 'go.sum');
  const { signal } = new AbortController();
  const before = process.env['XDG_CACHE_HOME'];
  process.env['XDG_CACHE_HOME'] = directory;
  after(() => {
    if (before === undefined) delete process.env['XDG_CACHE_HOME'];
    else process.env['XDG_CACHE_HOME'] = before;
    rmSync(directory, { recursive: true });
  });
  beforeEach(() => {
    rmSync(join(directory, 'ringmaster'), { recursive: true, force: true });
    writeFileSync(lockFile, 'v1');
  });

  let made = 0;
  const make = (text?: string): Promise<string> =>
    cached(
      'thing',
      { files: [lockFile], ...(text !== undefined && { text }) },
      async (unfinished) => {
        made += 1;
        writeFileSync(join(unfinished, 'content'), `made ${made}`);
      },
      signal,
    );

  test('makes a thing once, and anew when a file or the text of its key changes', async () => {
    made = 0;
    const first = await make();
    assert.equal(await make(), first);
    assert.equal(made, 1);
    writeFileSync(lockFile, 'v2');
    assert.notEqual(await make(), first);
    assert.notEqual(await make('other'), first);
    assert.equal(made, 3);
    assert.equal(readFileSync(join(first, 'content'), 'utf8'), 'made 1');
  });

  test('does not keep what failed', async () => {
    const fail = async (unfinished: string): Promise<void> => {
      writeFileSync(join(unfinished, 'half'), '');
      throw new Error('no disk');
    };
    await assert.rejects(cached('thing', { files: [lockFile] }, fail, signal), /no disk/);
    assert.deepEqual(readdirSync(await make()), ['content']);
  });

  test('lets a second process wait for the first, and go on when the first dies', async () => {
    const started = join(directory, 'started');
    const source = `
      import { writeFileSync } from 'node:fs';
      import { cached } from ${JSON.stringify(join(import.meta.dirname, 'cache.ts'))};
      await cached('thing', { files: [${JSON.stringify(lockFile)}] }, () => {
        writeFileSync(${JSON.stringify(started)}, '');
        setInterval(() => undefined, 60_000);
        return new Promise(() => undefined);
      }, new AbortController().signal);`;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: 'inherit' });
    try {
      await waitFor(() => existsSync(started), { what: 'the other process to make it', timeoutMs: 20_000 });
      made = 0;
      let done = false;
      const waiting = make().finally(() => (done = true));
      await assert.rejects(cached('thing', { files: [lockFile] }, () => Promise.resolve(), AbortSignal.timeout(300)));
      assert.equal(done, false);
      assert.equal(made, 0);
      holder.kill('SIGKILL');
      assert.deepEqual(readdirSync(await waiting), ['content']);
    } finally {
      holder.kill('SIGKILL');
      if (holder.exitCode === null && holder.signalCode === null) await once(holder, 'exit');
    }
  });
});
