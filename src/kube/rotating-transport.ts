import { type HttpRequest, type HttpResponse, type Transport, TransportError } from '../edges/transport.ts';

/** A transport that holds connections. */
export interface ClosableTransport extends Transport {
  /** Ends all connections at once; whatever still runs fails. */
  close(): Promise<void>;
}

interface Line {
  readonly transport: ClosableTransport;
  readonly streams: Set<AbortController>;
  underWay: number;
}

/**
 * A transport whose connections can be replaced while it is in use. Requests that are under way end on the connections
 * they began on; watches are broken, so that who follows them goes on over the new ones from where it is.
 */
export class RotatingTransport implements ClosableTransport {
  #line: Line;
  /** Those that were replaced and still have requests under way, and those that are being closed. */
  readonly #old = new Set<Line>();
  readonly #closing = new Set<Promise<void>>();
  #isClosed = false;

  constructor(transport: ClosableTransport) {
    this.#line = lineOf(transport);
  }

  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    signal.throwIfAborted();
    const line = this.#line;
    const own = new AbortController();
    const onAbort = (): void => own.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (request.streaming) line.streams.add(own);
    line.underWay++;
    let ended = false;
    const end = (): void => {
      if (ended) return;
      ended = true;
      signal.removeEventListener('abort', onAbort);
      line.streams.delete(own);
      line.underWay--;
      this.#closeWhenIdle(line);
    };
    try {
      const response = await line.transport.send(request, own.signal);
      // An answer whose body nobody reads ends with its signal.
      own.signal.addEventListener('abort', end, { once: true });
      return { ...response, body: whenOver(response.body, end) };
    } catch (error) {
      end();
      throw error;
    }
  }

  /** From now on requests go over `transport`; the old one is closed when the last request on it has ended. */
  replace(transport: ClosableTransport, why: string): void {
    const old = this.#line;
    if (this.#isClosed) {
      this.#closeLine(lineOf(transport));
      return;
    }
    this.#line = lineOf(transport);
    this.#old.add(old);
    for (const stream of old.streams) {
      stream.abort(new TransportError('replaced', `the connection was replaced: ${why}`));
    }
    this.#closeWhenIdle(old);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const line of [this.#line, ...this.#old]) this.#closeLine(line);
    await Promise.all(this.#closing);
  }

  #closeWhenIdle(line: Line): void {
    if (this.#old.has(line) && line.underWay === 0) this.#closeLine(line);
  }

  #closeLine(line: Line): void {
    this.#old.delete(line);
    const closing = line.transport.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}

function lineOf(transport: ClosableTransport): Line {
  return { transport, streams: new Set(), underWay: 0 };
}

async function* whenOver(body: AsyncIterable<Uint8Array>, end: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } finally {
    end();
  }
}
