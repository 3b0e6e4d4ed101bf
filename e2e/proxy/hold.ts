import { setTimeout as delay } from 'node:timers/promises';
import type { ControllerProxies } from './controller-proxies.ts';
import type { Write } from './write.ts';

/** Writes that are kept from their server; see {@link holdWrites}. */
export interface Hold {
  /** Those kept so far, those included that the controller gave up waiting for. */
  readonly held: readonly Write[];
  /** Lets those through that the controller still waits for, and all later ones. */
  release(): void;
}

/** Keeps back every write that `matches`, before its server sees it, until released. */
export function holdWrites(proxies: ControllerProxies, matches: (write: Write) => boolean): Hold {
  const held: Write[] = [];
  const { promise: released, resolve } = Promise.withResolvers<void>();
  const remove = proxies.use({
    async arrived(write, signal) {
      if (!matches(write)) return undefined;
      held.push(write);
      await Promise.race([released, aborted(signal)]);
      return signal.aborted ? 'drop' : undefined;
    },
  });
  return {
    held,
    release: () => {
      remove();
      resolve();
    },
  };
}

/** Delays every write that `matches` by `delayMs` before its server sees it. Returns what ends that. */
export function delayWrites(
  proxies: ControllerProxies,
  matches: (write: Write) => boolean,
  delayMs: number,
): () => void {
  return proxies.use({
    async arrived(write, signal) {
      if (matches(write)) await delay(delayMs, undefined, { signal }).catch(() => undefined);
      return signal.aborted ? 'drop' : undefined;
    },
  });
}

/** Resolves when `signal` has aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
