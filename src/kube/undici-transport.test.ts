import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../edges/clock.ts';
import { never, settle, VirtualClock } from '../edges/testing.ts';
import { TransportError, type HttpResponse, type TransportFailure } from '../edges/transport.ts';
import { readText } from './body.ts';
import type { ClusterContext } from './contexts.ts';
import type { Credentials } from './credentials.ts';
import { KubeError } from './errors.ts';
import type { Fence } from './fence.ts';
import { UndiciTransport } from './undici-transport.ts';

const forever = new AbortController().signal;

interface Bench {
  transport: UndiciTransport;
  port: number;
  /** Connections the server has seen. */
  sockets: Set<Socket>;
  open: () => number;
  credentials: Credentials;
  dropped: () => number;
}

/** A transport and a server that answers with `handle`, both gone after the test. */
async function bench(
  context: TestContext,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
  pathPrefix = '',
  fence?: Fence,
): Promise<Bench> {
  const server: Server = createServer(handle);
  const sockets = new Set<Socket>();
  let open = 0;
  server.on('connection', (socket) => {
    sockets.add(socket);
    open++;
    socket.on('close', () => open--);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const credentials: Credentials = { headers: { authorization: 'Bearer x' }, tls: {} };
  let dropped = 0;
  const transport = new UndiciTransport(
    {
      ...contextFor(`http://127.0.0.1:${port}${pathPrefix}`),
      credentials: () => Promise.resolve(credentials),
      dropCredentials: () => dropped++,
    },
    systemClock,
    fence,
  );
  context.after(async () => {
    await transport.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { transport, port, sockets, open: () => open, credentials, dropped: () => dropped };
}

function contextFor(server: string): ClusterContext {
  return {
    name: 'test',
    file: 'test',
    server,
    namespace: 'default',
    credentials: () => Promise.resolve({ headers: {}, tls: {} }),
    dropCredentials: () => undefined,
  };
}

async function text(response: Promise<HttpResponse>): Promise<string> {
  return readText((await response).body, 1_000_000);
}

async function failureOf(promise: Promise<unknown>): Promise<TransportFailure> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof TransportError, String(error));
    assert.notEqual(error.message, '');
    return error.failure;
  }
  throw new Error('it succeeded');
}

async function eventually(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    assert.ok(performance.now() < deadline, `not within 10 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('a request carries method, path, headers, body and credentials, and the answer its status, headers and body', async (context) => {
  const { transport } = await bench(
    context,
    (request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const { authorization, 'content-type': type } = request.headers;
        response.writeHead(409, { 'X-Answer': 'yes' });
        response.end([request.method, request.url, authorization, type, body].join(' '));
      });
    },
    '/k8s/clusters/c-1/',
  );
  const response = await transport.send(
    { method: 'PATCH', path: '/api/v1/x?y=1', headers: { 'content-type': 'a/b' }, body: '{}' },
    forever,
  );
  assert.equal(response.status, 409);
  assert.equal(response.headers['x-answer'], 'yes');
  assert.equal(await readText(response.body, 1000), 'PATCH /k8s/clusters/c-1/api/v1/x?y=1 Bearer x a/b {}');
});

test('connections are used again, and never more than eight at once', async (context) => {
  const { transport, sockets } = await bench(context, (_request, response) => response.end('ok'));
  for (let turn = 0; turn < 50; turn++) await text(transport.send({ method: 'GET', path: '/' }, forever));
  // Two, because a connection is free again only a moment after its answer has been read.
  assert.ok(sockets.size <= 2, `${sockets.size} connections`);
  await Promise.all(Array.from({ length: 100 }, () => text(transport.send({ method: 'GET', path: '/' }, forever))));
  assert.ok(sockets.size <= 8, `${sockets.size} connections`);
});

test('open watches leave the connections for requests alone', async (context) => {
  const { transport } = await bench(context, (request, response) => {
    if (request.url === '/watch') response.writeHead(200).flushHeaders();
    else response.end('ok');
  });
  const watches = await Promise.all(
    Array.from({ length: 20 }, () => transport.send({ method: 'GET', path: '/watch', streaming: true }, forever)),
  );
  assert.equal(watches.length, 20);
  assert.equal(await text(transport.send({ method: 'GET', path: '/' }, forever)), 'ok');
});

test('the pieces of a stream arrive as they are sent', async (context) => {
  let send: ServerResponse | undefined;
  const { transport } = await bench(context, (_request, response) => {
    response.writeHead(200).flushHeaders();
    send = response;
  });
  const { body } = await transport.send({ method: 'GET', path: '/', streaming: true }, forever);
  const iterator = body[Symbol.asyncIterator]();
  for (const piece of ['one', 'two']) {
    send?.write(piece);
    const { value } = (await iterator.next()) as { value: Uint8Array };
    assert.equal(Buffer.from(value).toString(), piece);
  }
  send?.end();
  assert.equal((await iterator.next()).done, true);
});

test('why there is no answer is told', async (context) => {
  const { transport, port } = await bench(context, (request) => request.socket.destroy());
  assert.equal(await failureOf(transport.send({ method: 'GET', path: '/' }, forever)), 'reset');
  const cases: [string, TransportFailure][] = [
    // A port that was free a moment ago; a name with a label too long to be looked up; TLS to a server that speaks none.
    [`http://127.0.0.1:${await freePort()}`, 'refused'],
    [`https://${'a'.repeat(64)}.invalid`, 'dns'],
    [`https://127.0.0.1:${port}`, 'tls'],
  ];
  for (const [server, failure] of cases) {
    const other = new UndiciTransport(contextFor(server), systemClock);
    assert.equal(await failureOf(other.send({ method: 'GET', path: '/' }, forever)), failure, server);
    await other.close();
  }
});

test('a connection lost inside an answer fails the reading of it', async (context) => {
  const { transport } = await bench(context, (request, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('half', () => request.socket.destroy());
  });
  assert.equal(await failureOf(text(transport.send({ method: 'GET', path: '/' }, forever))), 'reset');
});

test('something that does not speak HTTP is told as such', async (context) => {
  const { transport } = await bench(context, (request) => request.socket.end('SSH-2.0-server\r\n'));
  await assert.rejects(transport.send({ method: 'GET', path: '/' }, forever), /not HTTP/);
});

test('an abort ends a request at once with its reason, whether it waits for a connection, an answer or a body', async (context) => {
  const { transport, open } = await bench(context, (request, response) => {
    if (request.url === '/body') response.writeHead(200).flushHeaders();
  });
  const stop = new AbortController();
  const send = (path: string): Promise<HttpResponse> => transport.send({ method: 'GET', path }, stop.signal);
  const body = text(send('/body'));
  const waiting = Array.from({ length: 20 }, () => send('/answer'));
  await eventually('all connections are in use', () => open() === 8);
  stop.abort(new Error('enough'));
  for (const each of [body, ...waiting]) await assert.rejects(each, /enough/);
  await eventually('the connections are closed', () => open() === 0);
});

test('a 401 makes the context drop its credentials', async (context) => {
  const { transport, dropped } = await bench(context, (_request, response) => response.writeHead(401).end());
  await text(transport.send({ method: 'GET', path: '/' }, forever));
  assert.equal(dropped(), 1);
});

test('changed TLS settings get new connections, and the old ones end when their answers have', async (context) => {
  let finish: (() => void) | undefined;
  const { transport, sockets, credentials, open } = await bench(context, (request, response) => {
    if (request.url === '/slow') finish = () => response.end('slow');
    else response.end('ok');
  });
  const slow = text(transport.send({ method: 'GET', path: '/slow' }, forever));
  await eventually('the slow request is in work', () => finish !== undefined);
  credentials.tls = { cert: 'rotated' };
  await text(transport.send({ method: 'GET', path: '/' }, forever));
  assert.equal(sockets.size, 2);
  await settle();
  credentials.tls = { cert: Buffer.from('rotated') };
  await text(transport.send({ method: 'GET', path: '/' }, forever));
  assert.equal(sockets.size, 2, 'the same certificate in another form is no change');
  finish?.();
  assert.equal(await slow, 'slow');
  await eventually('the old connection is closed', () => open() === 1);
});

test('credentials that cannot be had are told as such, and those that never come are given up', async () => {
  const failing = new UndiciTransport(
    { ...contextFor('http://127.0.0.1:1'), credentials: () => Promise.reject(new Error('log in first')) },
    systemClock,
  );
  await assert.rejects(
    failing.send({ method: 'GET', path: '/' }, forever),
    (error: TransportError) => error.failure === 'credentials' && error.message === 'log in first',
  );
  const clock = new VirtualClock();
  let dropped = 0;
  const hanging = new UndiciTransport(
    { ...contextFor('http://127.0.0.1:1'), credentials: () => never(), dropCredentials: () => dropped++ },
    clock,
  );
  const failure = failureOf(hanging.send({ method: 'GET', path: '/' }, forever));
  await clock.advance(30_000);
  assert.equal(await failure, 'credentials');
  assert.equal(dropped, 1);
});

test('close ends what runs, and nothing is sent afterwards', async (context) => {
  const { transport, open } = await bench(context, (_request, response) => response.writeHead(200).flushHeaders());
  const { body } = await transport.send({ method: 'GET', path: '/', streaming: true }, forever);
  const reading = failureOf(readText(body, 1000));
  await transport.close();
  await reading;
  await eventually('the connections are closed', () => open() === 0);
  await assert.rejects(transport.send({ method: 'GET', path: '/' }, forever), /is closed/);
  await settle();
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A fence that a test opens and closes. `asked` counts how often it was. */
class Gate implements Fence {
  asked = 0;
  /** Closed for whoever asks from the nth time on. */
  closedFrom = Infinity;
  readonly #term = new AbortController();

  permit(): AbortSignal {
    this.asked++;
    if (this.asked >= this.closedFrom) throw new KubeError('NotLeader', 'closed');
    return this.#term.signal;
  }

  exempts(path: string): boolean {
    return path === '/lease';
  }

  end(): void {
    this.closedFrom = 0;
    this.#term.abort(new KubeError('NotLeader', 'the term is over', { mayHaveActed: true }));
  }
}

const write = { method: 'PATCH', path: '/x', body: '{}' } as const;

async function refusedBy(sending: Promise<unknown>): Promise<KubeError> {
  const error: unknown = await sending.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof KubeError, String(error));
  assert.equal(error.code, 'NotLeader');
  return error;
}

test('a fence that is closed lets no write begin, nor a GET that changes something, and all reads', async (context) => {
  const seen: string[] = [];
  const gate = new Gate();
  gate.closedFrom = 0;
  const { transport, sockets } = await bench(
    context,
    (request, response) => {
      seen.push(`${request.method} ${request.url}`);
      response.end('ok');
    },
    '',
    gate,
  );
  assert.equal((await refusedBy(transport.send(write, forever))).mayHaveActed, false);
  const order = { method: 'GET', path: '/order', changes: true } as const;
  assert.equal((await refusedBy(transport.send(order, forever))).mayHaveActed, false);
  assert.equal(sockets.size, 0);
  assert.equal(await text(transport.send({ method: 'GET', path: '/y' }, forever)), 'ok');
  assert.equal(await text(transport.send({ method: 'PUT', path: '/lease', body: '{}' }, forever)), 'ok');
  assert.deepEqual(seen, ['GET /y', 'PUT /lease']);
});

test('a fence that closes before the bytes are written lets none of them out, on a new connection or an old one', async (context) => {
  for (const warm of [false, true]) {
    const seen: string[] = [];
    const gate = new Gate();
    const { transport, open, sockets } = await bench(
      context,
      (request, response) => {
        seen.push(`${request.method} ${request.url}`);
        response.end('ok');
      },
      '',
      gate,
    );
    if (warm) assert.equal(await text(transport.send({ ...write, path: '/before' }, forever)), 'ok');
    gate.closedFrom = gate.asked + 2;
    assert.equal((await refusedBy(transport.send(write, forever))).mayHaveActed, false);
    assert.deepEqual(seen, warm ? ['PATCH /before'] : []);
    while (open() === sockets.size) await settle();
    gate.closedFrom = Infinity;
    assert.equal(await text(transport.send({ ...write, path: '/after' }, forever)), 'ok');
    assert.equal(seen.at(-1), 'PATCH /after');
  }
});

test('a write that waits for a connection does not leave once the term is over', async (context) => {
  const seen: string[] = [];
  const gate = new Gate();
  const answers: ServerResponse[] = [];
  const { transport } = await bench(
    context,
    (request, response) => {
      seen.push(String(request.url));
      answers.push(response);
    },
    '',
    gate,
  );
  const sending = Array.from({ length: 12 }, (_, index) => transport.send({ ...write, path: `/${index}` }, forever));
  const refused = sending.map((each) => refusedBy(each));
  while (seen.length < 8) await settle();
  gate.end();
  for (const error of await Promise.all(refused)) assert.equal(error.mayHaveActed, true);
  for (const response of answers) response.end('late');
  const reading = text(transport.send({ method: 'GET', path: '/afterwards' }, forever));
  while (!seen.includes('/afterwards')) await settle();
  answers.at(-1)?.end('ok');
  assert.equal(await reading, 'ok');
  assert.equal(seen.length, 9);
});
