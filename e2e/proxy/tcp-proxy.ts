import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What a {@link TcpProxy} does to connections; see {@link TcpProxy.fault}. Times are milliseconds. */
export type TcpFault =
  | { readonly kind: 'none' }
  /** Both ends of all connections get a RST, and so does whoever connects. */
  | { readonly kind: 'reset' }
  /** Connections stay and new ones are accepted; nothing comes through in either direction. */
  | { readonly kind: 'black hole' }
  /** The server's end is closed and the client is not told; new connections are accepted and lead nowhere. */
  | { readonly kind: 'half-open' }
  /** Connections of now stay and nothing comes through; new ones work, as behind a firewall that forgot its flows. */
  | { readonly kind: 'freeze' }
  /** What the server says arrives a few bytes at a time. */
  | { readonly kind: 'drip'; readonly bytes: number; readonly everyMs: number }
  /** Each connection is closed, cleanly, after this much from the server. */
  | { readonly kind: 'truncate'; readonly bytes: number }
  /** What the server says arrives this much later. */
  | { readonly kind: 'latency'; readonly ms: number };

/** More connections than these at once are refused: a loop of reconnects must not eat the machine. */
const connectionsMax = 512;
/** What one connection may hold back before its sender has to wait. */
const heldBackMaxBytes = 256 * 1024;

/**
 * Stands between a client and a server and knows nothing of what they say: bytes, connections and faults. The fault may
 * be changed at any moment and takes effect on connections of before as well. Bytes that were swallowed are lost, so a
 * connection that lost some stays mute when the fault is over, until its client gives it up.
 */
export class TcpProxy {
  readonly #server: Server;
  #target: Target;
  readonly #links = new Set<Link>();
  #fault: TcpFault = { kind: 'none' };
  #accepted = 0;

  private constructor(target: Target) {
    this.#target = target;
    this.#server = createServer({ noDelay: true }, (client) => this.#accept(client));
    this.#server.maxConnections = connectionsMax;
  }

  /** Listens on a free port of 127.0.0.1, for the server of this URL. */
  static async start(url: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetOf(url));
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** With the scheme https: what the server's certificate has to name is 127.0.0.1. */
  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Connections of clients that are open now. */
  get connections(): number {
    return this.#links.size;
  }

  /** Connections of clients so far. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Those of them that lost bytes, and whose client still holds them. */
  get mute(): number {
    return [...this.#links].filter(({ isMute }) => isMute).length;
  }

  get fault(): TcpFault {
    return this.#fault;
  }

  set fault(fault: TcpFault) {
    this.#fault = fault;
    for (const link of this.#links) link.suffer(fault);
  }

  /** Another server from now on; connections to the one before are closed. */
  leadTo(url: string): void {
    this.#target = targetOf(url);
    for (const link of this.#links) link.end('close');
  }

  /** Connections of which bytes were lost get a RST, as from a firewall that has no memory of them. */
  resetMute(): void {
    for (const link of this.#links) if (link.isMute) link.end('reset');
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const link of this.#links) link.end('reset');
    await closed;
  }

  #accept(client: Socket): void {
    this.#accepted += 1;
    const isDeaf = this.#fault.kind === 'black hole' || this.#fault.kind === 'half-open';
    if (this.#fault.kind === 'reset') {
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const link = new Link(client, isDeaf ? undefined : connect({ ...this.#target, noDelay: true }), () =>
      this.#links.delete(link),
    );
    this.#links.add(link);
    // Connections of now are those of before the fault.
    if (this.#fault.kind !== 'freeze') link.suffer(this.#fault);
  }
}

interface Target {
  readonly host: string;
  readonly port: number;
}

function targetOf(url: string): Target {
  const { hostname, port, protocol } = new URL(url);
  return { host: hostname, port: Number(port || (protocol === 'https:' ? 443 : 80)) };
}

/** One connection of a client, and the one to the server that belongs to it. */
class Link {
  readonly #client: Socket;
  readonly #server: Socket | undefined;
  readonly #ended: () => void;
  readonly #timers = new Set<NodeJS.Timeout>();
  #fault: TcpFault = { kind: 'none' };
  #mute: boolean;
  #heldBack: { bytes: Buffer; dueMs: number }[] = [];
  #passedBytes = 0;

  constructor(client: Socket, server: Socket | undefined, ended: () => void) {
    this.#client = client;
    this.#server = server;
    this.#ended = ended;
    this.#mute = server === undefined;
    for (const socket of [client, server]) {
      socket?.on('error', () => this.end('reset'));
      socket?.on('drain', () => (socket === client ? server : client)?.resume());
    }
    client.on('data', (bytes) => {
      if (!this.#mute && server && !server.write(bytes)) client.pause();
    });
    server?.on('data', (bytes) => {
      if (!this.#mute) this.#receive(bytes);
    });
    client.on('close', () => this.end('close'));
    server?.on('close', () => {
      if (!this.#mute && this.#heldBack.length === 0) this.end('close');
    });
  }

  /** Whether bytes were lost, so that nothing comes through any more. */
  get isMute(): boolean {
    return this.#mute;
  }

  suffer(fault: TcpFault): void {
    this.#fault = fault;
    this.#passedBytes = 0;
    switch (fault.kind) {
      case 'reset':
        this.end('reset');
        break;
      case 'half-open':
        this.#becomeMute();
        this.#server?.destroy();
        break;
      case 'black hole':
      case 'freeze':
        this.#becomeMute();
        break;
      default:
        this.#later(0);
    }
  }

  end(how: 'reset' | 'close'): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#heldBack = [];
    for (const socket of [this.#client, this.#server]) {
      if (how === 'reset') socket?.resetAndDestroy();
      else socket?.destroy();
    }
    this.#ended();
  }

  #becomeMute(): void {
    this.#mute = true;
    this.#heldBack = [];
    // Swallowing needs no room, so nobody has to wait any more.
    this.#client.resume();
    this.#server?.resume();
  }

  #receive(bytes: Buffer): void {
    const { kind } = this.#fault;
    if (kind === 'latency' || kind === 'drip' || this.#heldBack.length > 0) {
      const delayMs = this.#fault.kind === 'latency' ? this.#fault.ms : 0;
      this.#heldBack.push({ bytes, dueMs: performance.now() + delayMs });
      if (this.#heldBackBytes() > heldBackMaxBytes) this.#server?.pause();
      this.#later(delayMs);
      return;
    }
    this.#pass(bytes);
  }

  #pass(bytes: Buffer): void {
    const room = this.#fault.kind === 'truncate' ? this.#fault.bytes - this.#passedBytes : Infinity;
    const part = bytes.subarray(0, Math.max(0, room));
    this.#passedBytes += part.length;
    if (bytes.length > room) {
      this.#mute = true;
      this.#client.end(part);
      this.#server?.destroy();
    } else if (!this.#client.write(part)) {
      this.#server?.pause();
    }
  }

  #later(ms: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#letThrough();
    }, ms);
    this.#timers.add(timer);
  }

  #letThrough(): void {
    const fault = this.#fault;
    for (let first = this.#heldBack[0]; first && !this.#mute; first = this.#heldBack[0]) {
      if (fault.kind === 'drip') {
        if (this.#timers.size > 0) return;
        this.#pass(first.bytes.subarray(0, fault.bytes));
        first.bytes = first.bytes.subarray(fault.bytes);
        if (first.bytes.length === 0) this.#heldBack.shift();
        if (this.#heldBack.length > 0) this.#later(fault.everyMs);
        break;
      }
      const waitMs = fault.kind === 'latency' ? first.dueMs - performance.now() : 0;
      if (waitMs > 1) {
        if (this.#timers.size === 0) this.#later(waitMs);
        break;
      }
      this.#heldBack.shift();
      this.#pass(first.bytes);
    }
    if (this.#heldBackBytes() < heldBackMaxBytes) this.#server?.resume();
    if (this.#heldBack.length === 0 && this.#server?.destroyed && !this.#mute) this.end('close');
  }

  #heldBackBytes(): number {
    return this.#heldBack.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }
}
