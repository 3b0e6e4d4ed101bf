import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { Agent, type Dispatcher } from 'undici';
import type { ControlPlaneCertificates } from '../harness/certificates.ts';
import type { KubeconfigRegion } from '../harness/kubeconfig.ts';
import { isWrite, resourceOf, type WriteSequence } from './write.ts';

export interface ApiProxyOptions {
  readonly target: KubeconfigRegion;
  readonly certificates: ControlPlaneCertificates;
  /** Rewrites the path of a request, query included. */
  readonly rewrite: (path: string) => string;
  readonly writes: WriteSequence;
}

/** Headers that speak of one connection only: RFC 9110, section 7.6.1. */
const hopHeaders: readonly string[] = ['connection', 'host', 'keep-alive', 'transfer-encoding', 'upgrade'];

/** Stands between one controller and one API server: HTTP/1.1 over TLS with a certificate of its own. */
export class ApiProxy {
  readonly #options: ApiProxyOptions;
  readonly #server: Server;
  readonly #agent: Agent;
  readonly #underWay = new Set<AbortController>();

  private constructor(options: ApiProxyOptions) {
    const { certificates, target } = options;
    this.#options = options;
    this.#agent = new Agent({ connect: { ca: target.authority }, allowH2: false, bodyTimeout: 0 });
    this.#server = createServer(
      { cert: certificates.servingCertificate, key: certificates.servingKey },
      (incoming, outgoing) => void this.#serve(incoming, outgoing),
    );
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(options: ApiProxyOptions): Promise<ApiProxy> {
    const proxy = new ApiProxy(options);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Closes all connections of the controller; what it had sent and was not forwarded yet is forgotten. */
  disconnect(): void {
    // The sockets tell of their end only later.
    for (const request of this.#underWay) request.abort(new Error('the proxy closed the connection'));
    this.#server.closeAllConnections();
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.disconnect();
    await closed;
    await this.#agent.destroy();
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const gone = new AbortController();
    this.#underWay.add(gone);
    outgoing.once('close', () => {
      this.#underWay.delete(gone);
      gone.abort(new Error('the controller closed the connection'));
    });
    // A client that was killed resets its connection; that is seen as `close` too.
    outgoing.on('error', () => undefined);
    try {
      if (isWrite(incoming.method ?? '', incoming.url ?? '')) await this.#forwardWrite(incoming, outgoing, gone.signal);
      else await this.#forwardRead(incoming, outgoing, gone.signal);
    } catch {
      // Either side broke off: so does the connection to the other.
      outgoing.destroy();
    }
  }

  /** Passes the answer on as it comes, for as long as it comes: a watch is such a request too. */
  async #forwardRead(incoming: IncomingMessage, outgoing: ServerResponse, signal: AbortSignal): Promise<void> {
    const { statusCode, headers, body } = await this.#agent.request({ ...this.#request(incoming), signal });
    outgoing.writeHead(statusCode, endToEnd(headers));
    outgoing.flushHeaders();
    await pipeline(body, outgoing);
  }

  async #forwardWrite(incoming: IncomingMessage, outgoing: ServerResponse, signal: AbortSignal): Promise<void> {
    const { writes, target } = this.#options;
    const { method, path, ...request } = this.#request(incoming);
    const [pathOnly = ''] = path.split('?');
    const body = await buffer(incoming);
    const write = writes.number({
      region: target.name,
      method,
      path: pathOnly,
      resource: resourceOf(pathOnly),
      body: body.toString(),
    });
    if ((await writes.arrived(write, signal)) === 'drop' || signal.aborted) {
      outgoing.destroy();
      return;
    }
    // Sent to the end even if the controller goes away: a server acts on what has reached it.
    const answer = await this.#agent.request({ ...request, method, path, body });
    const reply = Buffer.from(await answer.body.arrayBuffer());
    if ((await writes.answered(write, answer.statusCode, signal)) === 'drop') {
      outgoing.destroy();
      return;
    }
    const sent = once(outgoing, 'finish', { signal });
    outgoing.writeHead(answer.statusCode, endToEnd(answer.headers)).end(reply);
    await sent;
    await writes.replied(write, answer.statusCode);
  }

  #request(incoming: IncomingMessage): {
    origin: string;
    method: Dispatcher.HttpMethod;
    path: string;
    headers: IncomingHttpHeaders;
  } {
    const { rewrite, target } = this.#options;
    const { method = 'GET', url = '/', headers } = incoming;
    return { origin: target.url, method, path: rewrite(url), headers: endToEnd(headers) };
  }
}

function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopHeaders.includes(name)));
}
