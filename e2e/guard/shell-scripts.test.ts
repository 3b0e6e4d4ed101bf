import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { findShellcheck } from './shellcheck.ts';

const run = promisify(execFile);
const repository = join(import.meta.dirname, '..', '..');
const ignored = new Set(['node_modules', 'dist', '.git']);

test('every shell script of the repository is clean for shellcheck', async (context) => {
  const scripts = globSync('**/*.sh', { cwd: repository, exclude: (name) => ignored.has(name) }).toSorted();
  assert.ok(scripts.includes(join('src', 'federation', 'guard', 'pre_run.sh')));
  const shellcheck = await findShellcheck((sentence) => context.diagnostic(sentence));
  if (shellcheck === undefined) {
    context.diagnostic('bash -n has looked at the syntax alone');
    for (const script of scripts) await run('bash', ['-n', script], { cwd: repository });
    return;
  }
  const { stdout } = await run(shellcheck, ['--format=gcc', ...scripts], { cwd: repository }).catch(
    (error: unknown) => {
      throw new Error(error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error), {
        cause: error,
      });
    },
  );
  assert.equal(stdout, '');
});
