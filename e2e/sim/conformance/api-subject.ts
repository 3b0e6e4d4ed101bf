import { readLines, readText } from '../../../src/kube/body.ts';
import type { LoneApiServer } from '../../api/server.ts';
import type { MemoryApiServer } from '../api/server.ts';
import { eventLineOf, jsonOf } from '../api/json.ts';
import { isResponse } from '../api/request.ts';

export interface Answer {
  status: number;
  /** Parsed JSON, or the text where it is none. */
  body: unknown;
}

export interface Event {
  type: string;
  object: unknown;
}

/** A watch that was accepted. */
export interface OpenWatch {
  /** The next event but bookmarks; undefined when the watch has ended. Waits for it. */
  next(): Promise<Event | undefined>;
  close(): void;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** An API server that is tested: a real one, or the one in memory. */
export interface ApiSubject {
  send(method: Method, path: string, body?: unknown, contentType?: string): Promise<Answer>;
  watch(path: string): Promise<OpenWatch | Answer>;
  /** Lets it forget what was before now; it ends all watches. */
  forget(): Promise<void>;
}

/** Whether a watch was answered with something else. */
export function isAnswer(watch: OpenWatch | Answer): watch is Answer {
  return 'status' in watch;
}

/** Who asks; its writes without a fieldManager are of a manager of this name. */
const user = 'conformance';

/** Requests and answers go through JSON text, as over a network. */
export function memorySubject(server: MemoryApiServer): ApiSubject {
  const request = (method: Method, path: string, body?: unknown, contentType?: string) => ({
    method,
    path,
    user,
    ...(body !== undefined && { body: JSON.parse(JSON.stringify(body)) as unknown }),
    ...(contentType !== undefined && { contentType }),
  });
  return {
    send(method, path, body, contentType) {
      const answer = server.handle(request(method, path, body, contentType));
      return Promise.resolve({ status: answer.status, body: parsed(jsonOf(answer.body)) });
    },
    watch(path) {
      const queue = new Queue();
      const watch = server.watch(request('GET', path), {
        event: (event) => queue.push(JSON.parse(eventLineOf(event)) as Event),
        end: () => queue.end(),
      });
      if (isResponse(watch)) return Promise.resolve({ status: watch.status, body: parsed(jsonOf(watch.body)) });
      return Promise.resolve({ next: () => queue.next(), close: () => watch.cancel() });
    },
    forget() {
      server.compact();
      return Promise.resolve();
    },
  };
}

const bodyLimitBytes = 16 * 1024 * 1024;

export function realSubject(server: LoneApiServer): ApiSubject {
  const { transport } = server;
  const headers = (contentType: string | undefined): Record<string, string> => ({
    accept: 'application/json',
    'user-agent': `${user}/1`,
    ...(contentType !== undefined && { 'content-type': contentType }),
  });
  return {
    async send(method, path, body, contentType = body === undefined ? undefined : 'application/json') {
      const text = body === undefined ? {} : { body: JSON.stringify(body) };
      const request = { method, path, headers: headers(contentType), ...text };
      const answer = await transport.send(request, AbortSignal.timeout(60_000));
      return { status: answer.status, body: parsed(await readText(answer.body, bodyLimitBytes)) };
    },
    async watch(path) {
      const stop = new AbortController();
      const answer = await transport.send(
        { method: 'GET', path, headers: headers(undefined), streaming: true },
        stop.signal,
      );
      if (answer.status !== 200) {
        return { status: answer.status, body: parsed(await readText(answer.body, bodyLimitBytes)) };
      }
      const queue = new Queue();
      const read = async (): Promise<void> => {
        try {
          for await (const line of readLines(answer.body, bodyLimitBytes, () => undefined)) {
            queue.push(JSON.parse(line) as Event);
          }
        } catch {
          // Cut by us, or by the end of the server: in any case the watch is over.
        } finally {
          queue.end();
        }
      };
      const reading = read();
      return {
        next: () => queue.next(),
        close() {
          stop.abort(new Error('the watch is closed'));
          void reading;
        },
      };
    },
    async forget() {
      await server.compact();
      await server.kill();
      await server.start();
    },
  };
}

/** How long an event may be on its way, milliseconds. */
const eventDeadlineMs = 30_000;

class Queue {
  readonly #events: Event[] = [];
  #isOver = false;
  #wake: () => void = () => undefined;

  push(event: Event): void {
    if (event.type === 'BOOKMARK') return;
    this.#events.push(event);
    this.#wake();
  }

  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  async next(): Promise<Event | undefined> {
    const deadline = AbortSignal.timeout(eventDeadlineMs);
    while (this.#events.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve, reject) => {
        this.#wake = resolve;
        deadline.addEventListener('abort', () => reject(deadline.reason as Error), { once: true });
      });
    }
    return this.#events.shift();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
