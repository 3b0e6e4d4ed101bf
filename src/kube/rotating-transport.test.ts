import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chunks, FakeTransport, settle } from '../edges/testing.ts';
import { type HttpResponse, TransportError } from '../edges/transport.ts';
import { readText } from './body.ts';
import { type ClosableTransport, RotatingTransport } from './rotating-transport.ts';

const forever = new AbortController().signal;

class Connections extends FakeTransport implements ClosableTransport {
  isClosed = false;

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

function answering(text: string): Connections {
  return new Connections(() => ({ status: 200, headers: {}, body: chunks(text) }));
}

/** Connections whose one answer comes when a test says so. */
function answeringLate(): { connections: Connections; answer: () => void } {
  const later = Promise.withResolvers<HttpResponse>();
  const connections = new Connections(() => later.promise);
  return { connections, answer: () => later.resolve({ status: 200, headers: {}, body: chunks('late') }) };
}

async function text(response: HttpResponse): Promise<string> {
  return readText(response.body, 1_000);
}

test('requests go over the connections of the moment, and replaced ones are closed when nothing uses them', async () => {
  const [old, next] = [answering('old'), answering('new')];
  const transport = new RotatingTransport(old);
  assert.equal(await text(await transport.send({ method: 'GET', path: '/a' }, forever)), 'old');
  transport.replace(next, 'test');
  await settle();
  assert.ok(old.isClosed);
  assert.equal(await text(await transport.send({ method: 'GET', path: '/b' }, forever)), 'new');
  assert.ok(!next.isClosed);
});

test('a request that is under way ends where it began', async () => {
  const { connections: old, answer } = answeringLate();
  const transport = new RotatingTransport(old);
  const sent = transport.send({ method: 'PATCH', path: '/a', body: '{}' }, forever);
  await settle();
  transport.replace(answering('new'), 'test');
  await settle();
  assert.ok(!old.isClosed, 'it still has a request to answer');
  answer();
  assert.equal(await text(await sent), 'late');
  await settle();
  assert.ok(old.isClosed);
});

test('a watch is broken off, and told that there are other connections by now', async () => {
  async function* endless(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('first');
    await new Promise(() => undefined);
  }
  const old = new Connections(() => ({ status: 200, headers: {}, body: endless() }));
  const transport = new RotatingTransport(old);
  const { body } = await transport.send({ method: 'GET', path: '/a', streaming: true }, forever);
  const watching = text({ status: 200, headers: {}, body });
  await settle();
  transport.replace(answering('new'), 'test');
  await assert.rejects(watching, (error) => error instanceof TransportError && error.failure === 'replaced');
  await settle();
  assert.ok(old.isClosed);
});

test('the end of a request whose answer nobody reads is heard of', async () => {
  const old = answering('unread');
  const transport = new RotatingTransport(old);
  const stop = new AbortController();
  await transport.send({ method: 'GET', path: '/a' }, stop.signal);
  transport.replace(answering('new'), 'test');
  stop.abort();
  await settle();
  assert.ok(old.isClosed);
});

test('closing it closes all connections, those that were replaced and are still in use as well', async () => {
  const { connections: old } = answeringLate();
  const next = answering('new');
  const transport = new RotatingTransport(old);
  void transport.send({ method: 'GET', path: '/a' }, forever).catch(() => undefined);
  transport.replace(next, 'test');
  await transport.close();
  assert.ok(old.isClosed && next.isClosed);
});
