import { connect } from 'node:net';
import type { Lookup } from '../dns/zone.ts';

const jolokiaPort = 8778;
const probeTimeoutMs = 5_000;

/** `seeds` go into cassandra.yaml; `failed` ends the init container with exit code 1. */
export type SeedChoice = { kind: 'seeds'; seeds: string } | { kind: 'failed'; reason: string };

/**
 * The choice that the bootstrap image's run.sh makes (CassKop 2.3.4, docker/bootstrap/files/run.sh): it tries each seed
 * in order on Jolokia's port, and the first that accepts a connection makes the whole list the seeds. If none does, the
 * pod takes itself as seed and founds a ring, whatever the reason; only a resolver that cannot tell makes it fail.
 */
export async function chooseSeeds(
  listed: string,
  self: { hostName: string; address: string },
  resolve: (name: string) => Lookup,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<SeedChoice> {
  if (listed === '') return { kind: 'seeds', seeds: self.address };
  for (const seed of listed.split(',').filter(Boolean)) {
    say(`Try to connect to ${seed}`);
    const found = resolve(seed);
    if (found.kind === 'outage') {
      say('Temporary failure in name resolution');
      return { kind: 'failed', reason: `DNS could not tell about ${seed}` };
    }
    const address = /^[\d.]+$/.test(seed) ? seed : found.kind === 'addresses' ? found.addresses[0] : undefined;
    if (address !== undefined && (await accepts(address, signal))) {
      say('Connected!');
      return { kind: 'seeds', seeds: listed };
    }
    signal.throwIfAborted();
  }
  return { kind: 'seeds', seeds: self.hostName };
}

function accepts(address: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: jolokiaPort });
    const settle = (answer: boolean): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(answer);
    };
    const onAbort = (): void => settle(false);
    const timer = setTimeout(() => settle(false), probeTimeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
