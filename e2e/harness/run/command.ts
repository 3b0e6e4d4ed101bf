import { execFile } from 'node:child_process';
import { HarnessError } from '../errors.ts';

/**
 * Runs a program to its end and resolves with its standard output.
 * @throws HarnessError CommandFailed with its standard error, ToolMissing when there is no such program.
 */
export function command(
  program: string,
  args: readonly string[],
  options: { input?: string; timeoutMs?: number; cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      {
        timeout: options.timeoutMs ?? 120_000,
        maxBuffer: 64 * 1024 * 1024,
        ...(options.cwd && { cwd: options.cwd }),
        ...(options.env && { env: options.env }),
      },
      (error, stdout, stderr) => {
        if (!error) resolve(stdout);
        else if (error.code === 'ENOENT')
          reject(new HarnessError('ToolMissing', `${program} is not installed or not on PATH`, { cause: error }));
        else {
          const said = (stderr || stdout).trim();
          reject(
            new HarnessError('CommandFailed', `${program} ${args.join(' ')}: ${said || error.message}`, {
              cause: error,
            }),
          );
        }
      },
    );
    if (options.input !== undefined) child.stdin?.end(options.input);
  });
}
