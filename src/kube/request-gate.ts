import { type HttpRequest, type HttpResponse, type Transport, TransportError } from '../edges/transport.ts';
import type { Clock } from '../edges/clock.ts';
import type { Random } from '../edges/random.ts';
import { Breaker } from './breaker.ts';
import { isUnanswered } from './outages.ts';
import { TokenBucket } from './token-bucket.ts';

/** What one region's API server is asked for at most, watches aside: client-go's usual figures for a controller. */
const limits = { perSecond: 20, burst: 40 };

/** Told how long a request waited for its turn, milliseconds. */
export type OnLimited = (method: string, waitedMs: number) => void;

/** One region's limit and breaker: all requests to it share them, whichever client they come from. */
export class RequestGate {
  readonly breaker: Breaker;
  readonly #bucket: TokenBucket;
  readonly #onLimited: OnLimited;

  constructor(clock: Clock, random: Random, onLimited: OnLimited = () => undefined) {
    this.breaker = new Breaker(clock, random);
    this.#bucket = new TokenBucket({ clock, ...limits });
    this.#onLimited = onLimited;
  }

  /** `transport` behind this gate. Watches pass: they are few, and whoever follows them waits between attempts. */
  guard(transport: Transport): Transport {
    return {
      send: (request, signal) =>
        request.streaming ? transport.send(request, signal) : this.#send(transport, request, signal),
    };
  }

  async #send(transport: Transport, request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    const { breaker } = this;
    refuseIfOpen(breaker);
    const waitedMs = await this.#bucket
      .take(signal, request.method !== 'GET' || request.changes === true)
      .catch((cause: unknown) => {
        throw new TransportError('limited', 'not sent, since other requests to the same server came first', { cause });
      });
    this.#onLimited(request.method, waitedMs);
    refuseIfOpen(breaker);
    breaker.begin();
    try {
      const response = await transport.send(request, signal);
      breaker.succeeded();
      return response;
    } catch (error) {
      if (isUnanswered(error)) breaker.failed(error.message);
      else breaker.abandoned();
      throw error;
    }
  }
}

function refuseIfOpen({ problem }: Breaker): void {
  if (problem !== undefined) throw new TransportError('circuit-open', problem);
}
