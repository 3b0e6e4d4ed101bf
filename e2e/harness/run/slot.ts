import { createServer, type Server } from 'node:net';

/**
 * How many runs fit on one machine: 198.18.0.0/15, the range set aside for benchmarks (RFC 2544), holds 32 networks of
 * 4096 addresses.
 */
export const slotCount = 32;

/** A slot held by this process. The kernel frees it when the process ends, however it ends. */
export interface HeldSlot {
  readonly number: number;
  release(): Promise<void>;
}

/**
 * Takes a slot, or resolves with undefined when a living process holds it. The lock is a listening socket in Linux's
 * abstract namespace: unlike a lock file it cannot be left behind, so a slot that can be taken while its journal is
 * still there belongs to a run that died.
 */
export function takeSlot(number: number): Promise<HeldSlot | undefined> {
  return new Promise((resolve, reject) => {
    const server: Server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen({ path: `\0ringmaster-harness-slot-${number}` }, () => {
      server.unref();
      resolve({ number, release: () => new Promise((released) => server.close(() => released())) });
    });
  });
}
