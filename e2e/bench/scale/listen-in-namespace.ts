import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Server } from 'node:net';

const program = join(import.meta.dirname, 'listen.ts');

/** A socket of this process that listens on `port`, on every address of a network namespace. */
export function listenInNamespace(namespace: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const child = spawn('ip', ['netns', 'exec', namespace, process.execPath, program, String(port)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code !== 0) reject(new Error(`nobody listens on port ${port} of ${namespace}: exit code ${code}`));
    });
    child.once('message', (_message, listener) => {
      // As long as the child has the socket too, it gets a share of the connections.
      const done = (): void => resolve(listener as Server);
      if (child.exitCode === null) child.once('exit', done);
      else done();
    });
  });
}
