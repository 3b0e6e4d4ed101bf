import { createSecureContext } from 'node:tls';
import { Agent, buildConnector, errors, type Dispatcher } from 'undici';
import { withDeadline, type Clock } from '../edges/clock.ts';
import {
  TransportError,
  type HttpRequest,
  type HttpResponse,
  type Transport,
  type TransportFailure,
} from '../edges/transport.ts';
import type { ClusterContext } from './contexts.ts';
import type { TlsOptions } from './credentials.ts';
import { KubeError } from './errors.ts';
import { type Fence, fenceSocket } from './fence.ts';

/** Most connections for requests to one cluster; further requests queue. */
const requestConnectionsMax = 8;
/** Most connections for watches of one cluster; each watch holds one. */
const streamConnectionsMax = 64;
/** One that hangs, and one for the next attempt. */
const leaseConnectionsMax = 2;
const connectTimeoutMs = 10_000;
const headersTimeoutMs = 30_000;
/** Longest silence inside an answer. Streams have none here: who watches keeps a clock of its own. */
const requestBodyTimeoutMs = 30_000;
/** Idle connections are kept this long, well under the API server's 90 s. */
const idleConnectionMs = 30_000;
/** Longest a credential plugin may take before it is given up and started anew. */
const credentialsTimeoutMs = 30_000;
/** Silence after which TCP asks whether the peer still lives. */
const keepAliveDelayMs = 20_000;

/**
 * HTTP/1.1 to one cluster over pooled connections, those for watches apart from those for requests. HTTP/2 is off: one
 * dead connection would take all streams with it, and nothing notices that it is dead.
 *
 * Credentials are asked of the context for every request. When its TLS part changes (a rotated certificate) new
 * connections are made for new requests, and the old ones end with what runs on them.
 *
 * With a fence, whatever is no GET, or changes something all the same, goes over connections of its own, and only while the fence lets it.
 */
export class UndiciTransport implements Transport {
  readonly #context: ClusterContext;
  readonly #clock: Clock;
  readonly #fence: Fence | undefined;
  readonly #origin: string;
  readonly #pathPrefix: string;
  #pools: Pools | undefined;
  #closed = false;

  constructor(context: ClusterContext, clock: Clock, fence?: Fence) {
    const url = new URL(context.server);
    this.#context = context;
    this.#clock = clock;
    this.#fence = fence;
    this.#origin = url.origin;
    this.#pathPrefix = url.pathname.replace(/\/+$/, '');
  }

  /** @throws also KubeError `NotLeader`, for a write that the fence does not permit, or no longer. */
  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    signal.throwIfAborted();
    const isLease = this.#fence?.exempts(request.path);
    if (!this.#fence || (request.method === 'GET' && !request.changes) || isLease) {
      return this.#send(request, signal, (pools) =>
        request.streaming ? pools.streams : isLease ? pools.lease : pools.requests,
      );
    }
    const permitted = both(signal, this.#fence.permit());
    try {
      const response = await this.#send(request, permitted.signal, (pools) => pools.writes);
      return { ...response, body: finallyDo(response.body, permitted.release) };
    } catch (error) {
      permitted.release();
      throw error;
    }
  }

  async #send(request: HttpRequest, signal: AbortSignal, poolOf: (pools: Pools) => Agent): Promise<HttpResponse> {
    const { headers, tls } = await this.#credentials(signal);
    const sending = poolOf(this.#poolsFor(tls)).request({
      origin: this.#origin,
      method: request.method,
      path: this.#pathPrefix + request.path,
      headers: { ...request.headers, ...headers },
      body: request.body ?? null,
      signal,
    });
    let response: Dispatcher.ResponseData;
    try {
      response = await orAborted(sending, signal);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw error instanceof KubeError ? error : toTransportError(error);
    }
    if (response.statusCode === 401) this.#context.dropCredentials();
    return {
      status: response.statusCode,
      headers: flatten(response.headers),
      body: withTransportErrors(response.body, signal),
    };
  }

  /** Ends all connections at once; whatever still runs fails. Resolves when the sockets are gone. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(agentsOf(this.#pools).map((agent) => agent.destroy()));
  }

  async #credentials(signal: AbortSignal): ReturnType<ClusterContext['credentials']> {
    using deadline = withDeadline(this.#clock, credentialsTimeoutMs, signal);
    try {
      return await orAborted(this.#context.credentials(), deadline.signal);
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      if (deadline.signal.aborted) this.#context.dropCredentials();
      throw new TransportError('credentials', (cause as Error).message, { cause });
    }
  }

  #poolsFor(tls: TlsOptions): Pools {
    if (this.#closed) throw new TransportError('other', `the transport to ${this.#origin} is closed`);
    if (this.#pools && sameTls(this.#pools.tls, tls)) return this.#pools;
    const old = this.#pools;
    const connect = connectorTo(tls);
    this.#pools = {
      tls,
      requests: makeAgent(connect, requestConnectionsMax, requestBodyTimeoutMs),
      writes: makeAgent(
        this.#fence ? fenced(connect, this.#fence) : connect,
        requestConnectionsMax,
        requestBodyTimeoutMs,
      ),
      lease: makeAgent(connect, leaseConnectionsMax, requestBodyTimeoutMs),
      streams: makeAgent(connect, streamConnectionsMax, 0),
    };
    for (const agent of agentsOf(old)) agent.close().catch(() => undefined);
    return this.#pools;
  }
}

interface Pools {
  tls: TlsOptions;
  requests: Agent;
  /** Requests that pass the fence; without one they go with the others. */
  writes: Agent;
  /** A Lease has to be renewed however slow the answers to others are. */
  lease: Agent;
  streams: Agent;
}

function agentsOf(pools: Pools | undefined): Agent[] {
  return pools ? [pools.requests, pools.writes, pools.lease, pools.streams] : [];
}

/**
 * Makes connections. Certificates are parsed for the first one and shared by all, and a session that ended is resumed:
 * of hundreds of connections each would otherwise hold its own copy, and every write after a rest cost a full handshake.
 */
function connectorTo(tls: TlsOptions): buildConnector.connector {
  let connect: buildConnector.connector | undefined;
  return (options, callback) => {
    try {
      connect ??= buildConnector({
        ...tls,
        ...(options.protocol === 'https:' && { secureContext: createSecureContext(tls) }),
        allowH2: false,
        timeout: connectTimeoutMs,
        keepAlive: true,
        keepAliveInitialDelay: keepAliveDelayMs,
      });
    } catch (error) {
      callback(error as Error, null);
      return;
    }
    connect(options, callback);
  };
}

function makeAgent(connect: buildConnector.connector, connections: number, bodyTimeoutMs: number): Agent {
  return new Agent({
    connections,
    allowH2: false,
    headersTimeout: headersTimeoutMs,
    bodyTimeout: bodyTimeoutMs,
    keepAliveTimeout: idleConnectionMs,
    connect,
  });
}

/** Connections whose every request passes `fence` when it is written. */
function fenced(connect: buildConnector.connector, fence: Fence): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...result) => {
      const [error, socket] = result;
      if (error) callback(error, null);
      else callback(null, fenceSocket(socket, fence));
    });
}

function sameTls(left: TlsOptions, right: TlsOptions): boolean {
  const same = (one: string | Buffer | undefined, other: string | Buffer | undefined): boolean =>
    one === other || (one !== undefined && other !== undefined && Buffer.from(one).equals(Buffer.from(other)));
  return (
    same(left.ca, right.ca) &&
    same(left.cert, right.cert) &&
    same(left.key, right.key) &&
    left.rejectUnauthorized === right.rejectUnauthorized &&
    left.servername === right.servername
  );
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}

/** A signal that aborts when either does. Unlike AbortSignal.any it leaves nothing behind on one that lives long. */
function both(one: AbortSignal, other: AbortSignal): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const links = [one, other].map((signal) => ({ signal, onAbort: () => controller.abort(signal.reason) }));
  for (const { signal, onAbort } of links) {
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  }
  const release = (): void => links.forEach(({ signal, onAbort }) => signal.removeEventListener('abort', onAbort));
  return { signal: controller.signal, release };
}

async function* finallyDo<T>(items: AsyncIterable<T>, done: () => void): AsyncGenerator<T> {
  try {
    yield* items;
  } finally {
    done();
  }
}

async function* withTransportErrors(body: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body) yield chunk;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw toTransportError(error);
  }
}

/** A request that still waits for a connection does not hear its signal, so the signal is heard here. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

const failures: Record<string, TransportFailure> = {
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EAI_FAIL: 'dns',
  EPROTO: 'tls',
  CERT_HAS_EXPIRED: 'tls',
  CERT_NOT_YET_VALID: 'tls',
  CERT_REVOKED: 'tls',
  CERT_UNTRUSTED: 'tls',
  CERT_REJECTED: 'tls',
  CERT_SIGNATURE_FAILURE: 'tls',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls',
  UNABLE_TO_GET_ISSUER_CERT: 'tls',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls',
  INVALID_CA: 'tls',
  INVALID_PURPOSE: 'tls',
  HOSTNAME_MISMATCH: 'tls',
};

function toTransportError(error: unknown): TransportError {
  if (error instanceof TransportError) return error;
  const code = codeOf(error);
  const message = error instanceof Error && error.message ? error.message : String(error);
  if (error instanceof errors.HTTPParserError) {
    return new TransportError('reset', `not HTTP: ${message}`, { cause: error });
  }
  const byPrefix = /^ERR_(TLS|SSL)_/.test(code) ? 'tls' : 'other';
  return new TransportError(failures[code] ?? byPrefix, message, { cause: error });
}

/** The code of the error itself, or of the first attempt when several addresses were tried. */
function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error instanceof AggregateError ? codeOf(error.errors[0]) : '';
}
