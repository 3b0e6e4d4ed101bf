import { once } from 'node:events';
import { createServer } from 'node:net';

/** Addresses of the loopback network that no other run on this machine uses meanwhile. */
export interface LoopbackNet extends AsyncDisposable {
  /** @param host 1 to 253 */
  address(host: number): string;
}

/**
 * Claims a /24 of 127.0.0.0/8 for this process by listening on its last address, so that the claim ends with the
 * process however that ends.
 */
export async function claimLoopbackNet(): Promise<LoopbackNet> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const net = `127.${64 + Math.floor(Math.random() * 64)}.${Math.floor(Math.random() * 256)}`;
    const claim = createServer().unref();
    claim.listen(8777, `${net}.254`);
    const listening = await once(claim, 'listening').then(
      () => true,
      () => false,
    );
    if (!listening) continue;
    return {
      address: (host) => `${net}.${host}`,
      async [Symbol.asyncDispose]() {
        claim.close();
        await once(claim, 'close');
      },
    };
  }
  throw new Error('no free loopback network after 100 attempts');
}
