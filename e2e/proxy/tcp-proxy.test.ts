import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../harness/wait-for.ts';
import { TcpProxy } from './tcp-proxy.ts';

let server: Server;
let proxy: TcpProxy;
const atServer = new Set<Socket>();
const clients = new Set<Client>();

/** A client that keeps what it is told. */
class Client {
  readonly socket: Socket;
  heard = '';
  ended: 'FIN' | 'RST' | undefined;

  constructor() {
    this.socket = connect(Number(new URL(proxy.url).port), '127.0.0.1');
    this.socket.on('data', (bytes) => (this.heard += bytes.toString()));
    this.socket.on('end', () => (this.ended ??= 'FIN'));
    this.socket.on('error', () => (this.ended = 'RST'));
    clients.add(this);
  }

  /** Sends a line, which the server repeats. */
  say(line: string): void {
    this.socket.write(`${line}\n`);
  }

  async hears(text: string): Promise<void> {
    await waitFor(() => this.heard === text, {
      what: `to hear ${text.slice(0, 40)}`,
      timeoutMs: 20_000,
      intervalMs: 5,
    });
  }
}

async function until(what: string, holds: () => boolean): Promise<void> {
  await waitFor(holds, { what, timeoutMs: 20_000, intervalMs: 5 });
}

beforeEach(async () => {
  server = createServer((socket) => {
    atServer.add(socket);
    socket.on('error', () => undefined).on('close', () => atServer.delete(socket));
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await TcpProxy.start(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterEach(async () => {
  for (const { socket } of clients) socket.destroy();
  clients.clear();
  await proxy.close();
  server.close();
});

test('without a fault, all bytes come through in both directions, and so does the end', async () => {
  const client = new Client();
  const much = 'x'.repeat(3_000_000);
  client.say(much);
  await client.hears(`${much}\n`);
  client.socket.destroy();
  await until('the server to see the end', () => atServer.size === 0);
  assert.equal(proxy.connections, 0);
});

test('a reset breaks connections of before and those that come', async () => {
  const before = new Client();
  before.say('1');
  await before.hears('1\n');
  proxy.fault = { kind: 'reset' };
  const during = new Client();
  await until('both to be reset', () => before.ended === 'RST' && during.ended !== undefined);
  proxy.fault = { kind: 'none' };
  const afterwards = new Client();
  afterwards.say('2');
  await afterwards.hears('2\n');
});

test('a black hole swallows all, keeps connections, and leaves those of before mute', async () => {
  const before = new Client();
  before.say('1');
  await before.hears('1\n');
  proxy.fault = { kind: 'black hole' };
  const during = new Client();
  for (const each of [before, during]) each.say('lost');
  await until('the connection to be accepted', () => proxy.accepted === 2);
  await delay(200);
  assert.deepEqual([before.heard, before.ended, during.heard, during.ended], ['1\n', undefined, '', undefined]);
  proxy.fault = { kind: 'none' };
  const afterwards = new Client();
  for (const each of [before, during, afterwards]) each.say('2');
  await afterwards.hears('2\n');
  assert.deepEqual([before.heard, during.heard], ['1\n', '']);
});

test('a half-open connection is closed at the server, and its client is not told', async () => {
  const client = new Client();
  client.say('1');
  await client.hears('1\n');
  proxy.fault = { kind: 'half-open' };
  await until('the server to lose it', () => atServer.size === 0);
  client.say('lost');
  await delay(200);
  assert.deepEqual([client.heard, client.ended], ['1\n', undefined]);
});

test('a freeze makes connections of now mute, and new ones work', async () => {
  const before = new Client();
  before.say('1');
  await before.hears('1\n');
  proxy.fault = { kind: 'freeze' };
  before.say('lost');
  const during = new Client();
  during.say('2');
  await during.hears('2\n');
  assert.deepEqual([before.heard, before.ended], ['1\n', undefined]);
});

test('a drip lets a few bytes through at a time, and all in the end', async () => {
  proxy.fault = { kind: 'drip', bytes: 2, everyMs: 50 };
  const client = new Client();
  const started = performance.now();
  client.say('123456789');
  await client.hears('123456789\n');
  assert.ok(performance.now() - started >= 190);
});

test('a truncated connection ends after so many bytes', async () => {
  proxy.fault = { kind: 'truncate', bytes: 4 };
  const client = new Client();
  client.say('123456789');
  await until('its end', () => client.ended === 'FIN');
  assert.equal(client.heard, '1234');
});

test('latency delays what the server says, in order, and what is on its way comes when it is over', async () => {
  proxy.fault = { kind: 'latency', ms: 300 };
  const client = new Client();
  const started = performance.now();
  client.say('1');
  await delay(20);
  client.say('2');
  await client.hears('1\n2\n');
  assert.ok(performance.now() - started >= 299);
  proxy.fault = { kind: 'latency', ms: 60_000 };
  client.say('3');
  await delay(100);
  assert.equal(client.heard, '1\n2\n');
  proxy.fault = { kind: 'none' };
  await client.hears('1\n2\n3\n');
});

test('closing it leaves nothing open', async () => {
  const client = new Client();
  client.say('1');
  await client.hears('1\n');
  await proxy.close();
  await until('both ends to know', () => client.ended !== undefined && atServer.size === 0);
  proxy = await TcpProxy.start('https://127.0.0.1:1');
});
