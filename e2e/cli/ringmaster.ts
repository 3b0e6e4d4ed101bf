import { execFile } from 'node:child_process';
import type { Regions } from '../harness/index.ts';
import { main } from '../ring/controller-process.ts';

export interface Ran {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

const timeoutMs = 600_000;

/** Runs `ringmaster` as a person with the rights of an administrator does, to its end; lines are broken at 80 characters. */
export function ringmaster(regions: Pick<Regions, 'kubeconfig'>, ...args: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [main, ...args],
      { timeout: timeoutMs, encoding: 'utf8', env: { ...process.env, KUBECONFIG: regions.kubeconfig, COLUMNS: '80' } },
      (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }),
    );
  });
}
