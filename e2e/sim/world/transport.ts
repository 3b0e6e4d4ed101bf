import { TransportError, type HttpRequest, type HttpResponse, type Transport } from '../../../src/edges/transport.ts';
import type { ApiRequest, ApiResponse, MemoryApiServer } from '../api/server.ts';
import type { Fence } from '../../../src/kube/fence.ts';
import { eventLineOf, jsonOf } from '../api/json.ts';
import { StreamBody, wholeBody } from './body.ts';
import type { KeyspaceAlteration } from '../invariants/invariant.ts';
import type { Beliefs } from './beliefs.ts';
import type { Network } from './network.ts';
import type { ProcessClock } from './process-clock.ts';

/** One cluster as its API server's port shows it. */
export interface Cluster {
  readonly name: string;
  readonly server: MemoryApiServer;
  /** GET through pods/proxy; undefined: no such pod, or it does not listen. */
  proxy(namespace: string, pod: string, path: string): { status: number; body: string } | undefined;
}

/** One request of the controller on its way. `number` counts the requests of its process from 1. */
export interface Exchange {
  readonly process: string;
  readonly cluster: string;
  readonly number: number;
  readonly request: HttpRequest;
  /** Changes something that the controller is there to change. */
  readonly isWrite: boolean;
  /** Tells a node what to do with the ring: a GET that is not one. */
  readonly isOrder: boolean;
  /** Is about the Lease that controllers lead by. */
  readonly isLease: boolean;
  /** What its process went by when it decided to send this write. */
  readonly beliefs: Beliefs | undefined;
  /** When it left the process, monotonic milliseconds of the world. */
  readonly sentAtMs: number;
}

/** What goes wrong with an exchange; the first that is set counts. */
export interface Mishap {
  /** The API server answers so and does nothing. */
  answer?: { status: number; reason: string; headers?: Record<string, string> };
  /** The API server does it, and the answer never comes (`silence`), or a 500 comes in its place. */
  afterCommit?: 'silence' | 'error';
  /** The process dies at this point of it. */
  crash?: 'before send' | 'after commit' | 'after reply';
  /** Longer on the way than others, milliseconds. */
  delayMs?: number;
}

/** Who watches over the exchanges: faults, invariants and the timeline. */
export interface Overseer {
  /** Called before anything is sent. */
  mishap(exchange: Exchange): Mishap | undefined;
  /** Lets the server answer. */
  serve(exchange: Exchange, server: MemoryApiServer): ApiResponse;
  /** Called right before a node hears what it is to do. */
  order(exchange: Exchange, pod: string, path: string): void;
  /** Called right before a node alters a keyspace, as it is told by CQL. */
  alter(exchange: Exchange, alteration: Pick<KeyspaceAlteration, 'pod' | 'keyspace' | 'before' | 'after'>): void;
  /** Called when the answer, or an event of a watch, has reached the process. */
  heard(process: string, cluster: string, plural: string, resourceVersion: string): void;
  crash(process: string, exchange: Exchange): void;
  /** Called when a write begins to wait for its connection; answers what its process goes by. */
  connecting(process: string): Beliefs;
}

/** A watch of the controller, for faults to play with. */
export class WatchStream {
  readonly cluster: string;
  readonly plural: string;
  readonly body = new StreamBody();
  /** Events wait until then, monotonic milliseconds of the world. */
  heldUntil = 0;
  /** The connection is dead, and neither side knows. */
  isDeaf = false;
  cancel: () => void = () => undefined;

  constructor(cluster: string, plural: string) {
    this.cluster = cluster;
    this.plural = plural;
  }
}

const orderPath = /\/proxy\/jolokia\/exec\/[^/]+\/(decommission|removeNode)/;

/** The connections of one process to one cluster. */
export class SimulatedTransport implements Transport {
  readonly #process: { readonly name: string; readonly clock: ProcessClock; nextNumber(): number };
  readonly #cluster: Cluster;
  readonly #network: Network;
  readonly #overseer: Overseer;
  readonly #fence: Fence | undefined;
  readonly streams = new Set<WatchStream>();

  constructor(
    process: { readonly name: string; readonly clock: ProcessClock; nextNumber(): number },
    cluster: Cluster,
    network: Network,
    overseer: Overseer,
    fence?: Fence,
  ) {
    this.#process = process;
    this.#cluster = cluster;
    this.#network = network;
    this.#overseer = overseer;
    this.#fence = fence;
  }

  send(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const { clock } = this.#process;
      if (clock.isDead) return;
      const settled = { done: false };
      const signals = [signal];
      if (this.#fence && (request.method !== 'GET' || request.changes) && !this.#fence.exempts(request.path)) {
        signals.push(this.#fence.permit());
      }
      const settle = (answer: () => void): void => {
        if (settled.done || clock.isDead) return;
        settled.done = true;
        for (const each of signals) each.removeEventListener('abort', onAbort);
        answer();
      };
      const onAbort = (): void => settle(() => reject(signals.find(({ aborted }) => aborted)?.reason as Error));
      for (const each of signals) each.addEventListener('abort', onAbort, { once: true });
      const exchange = (beliefs?: Beliefs): void =>
        this.#exchange(
          request,
          signal,
          (response) => settle(() => resolve(response)),
          (error) => settle(() => reject(error)),
          beliefs,
        );
      if (signals.length === 1) exchange();
      else this.#onceConnected(settled, exchange, (error) => settle(() => reject(error)));
    });
  }

  /** A write may have to wait for a connection, and its process may stand still meanwhile; so its fence is asked again. */
  #onceConnected(
    settled: { readonly done: boolean },
    write: (beliefs: Beliefs) => void,
    reject: (error: Error) => void,
  ): void {
    const beliefs = this.#overseer.connecting(this.#process.name);
    this.#process.clock.timer(this.#network.delay(), () => {
      if (settled.done) return;
      try {
        this.#fence?.permit();
      } catch (error) {
        reject(error as Error);
        return;
      }
      write(beliefs);
    });
  }

  #exchange(
    request: HttpRequest,
    signal: AbortSignal,
    resolve: (response: HttpResponse) => void,
    reject: (error: Error) => void,
    beliefs: Beliefs | undefined,
  ): void {
    const { name, clock } = this.#process;
    const network = this.#network;
    const cluster = this.#cluster.name;
    const isOrder = orderPath.test(request.path);
    const isLease = request.path.startsWith('/apis/coordination.k8s.io/');
    const exchange: Exchange = {
      process: name,
      cluster,
      number: this.#process.nextNumber(),
      request,
      isWrite: (request.method !== 'GET' && !isLease) || isOrder,
      isOrder,
      isLease,
      beliefs,
      sentAtMs: clock.world.monotonic(),
    };
    const mishap = this.#overseer.mishap(exchange);
    if (mishap?.crash === 'before send') {
      this.#overseer.crash(name, exchange);
      return;
    }
    const out = network.passage(name, cluster);
    if (out === 'refused') {
      clock.timer(1, () => reject(new TransportError('refused', `connect ECONNREFUSED ${cluster}`)));
      return;
    }
    if (out === 'dropped') return;

    const answer = (): void => {
      // A request that was given up while it was on its way may still arrive; one whose sender died as well.
      if (request.streaming) {
        this.#watch(exchange, signal, resolve, reject);
        return;
      }
      const response = mishap?.answer ? statusOf(mishap.answer) : this.#ask(exchange);
      if (mishap?.crash === 'after commit') {
        this.#overseer.crash(name, exchange);
        return;
      }
      if (mishap?.afterCommit === 'silence' || network.passage(cluster, name) !== 'open') return;
      const shown = mishap?.afterCommit === 'error' ? statusOf({ status: 500, reason: 'InternalError' }) : response;
      clock.timer(network.delay(), () => {
        this.#hear(exchange, shown);
        resolve(httpResponse(shown, mishap?.answer?.headers));
        if (mishap?.crash === 'after reply') this.#overseer.crash(name, exchange);
      });
    };
    this.#world(network.delay() + (mishap?.delayMs ?? 0), answer);
  }

  /** Work that goes on whatever becomes of the process. */
  #world(delayMs: number, work: () => void): void {
    this.#process.clock.world.schedule(delayMs, work);
  }

  #ask(exchange: Exchange): ApiResponse {
    const { path: asked } = exchange.request;
    const proxied =
      asked.includes('/proxy/') && /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/:]+):8778\/proxy(\/.*)$/.exec(asked);
    if (proxied) {
      const [, namespace = '', pod = '', path = ''] = proxied;
      if (exchange.isOrder) this.#overseer.order(exchange, pod, path);
      const answer = this.#cluster.proxy(namespace, pod, path);
      if (answer) return { status: answer.status, body: answer.body };
      return statusOf({ status: 503, reason: 'ServiceUnavailable' });
    }
    return this.#overseer.serve(exchange, this.#cluster.server);
  }

  #hear({ cluster, request, process }: Exchange, { status, body }: ApiResponse): void {
    if (status >= 300 || request.method !== 'GET') return;
    const list = body as { items?: unknown[]; metadata?: { resourceVersion?: string; continue?: string } };
    if (!list.items || list.metadata?.continue) return;
    this.#overseer.heard(process, cluster, pluralOf(request.path), list.metadata?.resourceVersion ?? '');
  }

  #watch(
    exchange: Exchange,
    signal: AbortSignal,
    resolve: (response: HttpResponse) => void,
    reject: (error: Error) => void,
  ): void {
    const { name, clock } = this.#process;
    const network = this.#network;
    const cluster = this.#cluster.name;
    if (clock.isDead || signal.aborted || network.passage(cluster, name) !== 'open') return;
    const stream = new WatchStream(cluster, pluralOf(exchange.request.path));
    let arrivesAt = 0;
    const deliver = (work: () => void): void => {
      // What comes later never overtakes what came before.
      const world = clock.world;
      arrivesAt = Math.max(arrivesAt, stream.heldUntil, world.monotonic() + network.delay());
      if (stream.isDeaf || network.passage(cluster, name) !== 'open') {
        stream.isDeaf = true;
        return;
      }
      clock.timer(arrivesAt - world.monotonic(), () => {
        if (!stream.isDeaf) work();
      });
    };
    const close = (error?: Error): void => {
      this.streams.delete(stream);
      stream.cancel();
      stream.body.end(error);
    };
    const opened = this.#cluster.server.watch(apiRequest(exchange.request, name), {
      event: (event) =>
        deliver(() => {
          const version = event.type === 'ERROR' ? undefined : event.object.metadata.resourceVersion;
          stream.body.push(eventLineOf(event), () => {
            if (version !== undefined) this.#overseer.heard(name, cluster, stream.plural, version);
          });
        }),
      end: () => deliver(() => close()),
    });
    if ('status' in opened) {
      clock.timer(network.delay(), () => resolve(httpResponse(opened)));
      return;
    }
    stream.cancel = () => opened.cancel();
    this.streams.add(stream);
    const seconds = Number(/[?&]timeoutSeconds=(\d+)/.exec(exchange.request.path)?.[1] ?? 300);
    const over = clock.timer(seconds * 1000, () => {
      stream.cancel();
      deliver(() => close());
    });
    signal.addEventListener(
      'abort',
      () => {
        over.cancel();
        close(signal.reason as Error);
      },
      { once: true },
    );
    clock.timer(network.delay(), () => {
      if (!stream.isDeaf) resolve({ status: 200, headers: {}, body: stream.body });
    });
    void reject;
  }

  /** Breaks a watch as a reset connection does, after half of a line when `inLine`. */
  reset(stream: WatchStream, inLine: boolean): void {
    this.streams.delete(stream);
    stream.cancel();
    this.#process.clock.do(() => {
      if (inLine) stream.body.push('{"type":"MODIF');
      stream.body.end(new TransportError('reset', 'read ECONNRESET'));
    });
  }

  /** The process is gone: its watches end on the server. */
  close(): void {
    for (const stream of this.streams) stream.cancel();
    this.streams.clear();
  }
}

/** A request as the server takes it. */
export function apiRequest({ method, path, headers, body }: HttpRequest, user: string): ApiRequest {
  const contentType = headers?.['content-type'];
  return {
    method,
    path,
    user,
    ...(contentType !== undefined && { contentType }),
    ...(body !== undefined && { body: JSON.parse(body) as unknown }),
  };
}

function httpResponse({ status, body }: ApiResponse, headers: Record<string, string> = {}): HttpResponse {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: wholeBody(jsonOf(body)) };
}

/** The last name of a collection's path. */
export function pluralOf(path: string): string {
  return /\/([a-z]+)(?:\?|$)/.exec(path)?.[1] ?? '';
}

/** A Status as an API server words it. */
export function statusOf(answer: { status: number; reason: string }): ApiResponse {
  const { status, reason } = answer;
  const body = {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    reason,
    code: status,
    message: `simulated ${reason}`,
  };
  return { status, body };
}
