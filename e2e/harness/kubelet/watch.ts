import { setTimeout as delay } from 'node:timers/promises';
import { type ApiObject, type ApiServer } from '../api-server.ts';

const retryDelayMs = 250;

/** Called for every state of an object; `gone`: this was its last. */
export type Handler<T> = (object: T, gone: boolean) => void;

/**
 * Keeps `handle` told about all objects of a list path until `signal` aborts: each object once at the start and again
 * whenever it changes, with `gone` when it was deleted. Survives outages of the API server by listing again.
 */
export async function follow<T extends ApiObject>(
  api: ApiServer,
  path: string,
  handle: Handler<T>,
  signal: AbortSignal,
): Promise<void> {
  const known = new Map<string, T>();
  const see = (object: T): void => {
    known.set(object.metadata.uid ?? '', object);
    handle(object, false);
  };
  const lose = (object: T): void => {
    known.delete(object.metadata.uid ?? '');
    handle(object, true);
  };
  while (!signal.aborted) {
    try {
      const list = await api.get<{ items: T[]; metadata: { resourceVersion: string } }>(path, signal);
      const listed = new Set(list.items.map(({ metadata }) => metadata.uid ?? ''));
      for (const [uid, object] of known) if (!listed.has(uid)) lose(object);
      for (const object of list.items) see(object);
      let version = list.metadata.resourceVersion;
      for (;;) {
        for await (const { type, object } of api.watch<T>(path, version, signal)) {
          version = object.metadata.resourceVersion ?? version;
          if (type === 'DELETED') lose(object);
          else if (type !== 'BOOKMARK') see(object);
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      console.log(`${path}: ${(error as Error).message}; listing again`);
      await delay(retryDelayMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
