import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chunks, FakeTransport, jsonResponse, never, settle, VirtualClock } from '../edges/testing.ts';
import { TransportError, type HttpRequest, type HttpResponse, type TransportFailure } from '../edges/transport.ts';
import type { KubeClient, WatchEvent } from './client.ts';
import { KubeError, type KubeErrorCode } from './errors.ts';
import { createKubeClient } from './http-client.ts';
import { resources } from './objects.ts';

const forever = new AbortController().signal;
const pod = { namespace: 'ns', name: 'p' };
const object = { metadata: { name: 'p', namespace: 'ns', resourceVersion: '7' } };

interface Bench {
  client: KubeClient;
  clock: VirtualClock;
  transport: FakeTransport;
  counted: string[];
}

function bench(answer: (request: HttpRequest) => HttpResponse | Promise<HttpResponse>): Bench {
  const clock = new VirtualClock();
  const transport = new FakeTransport(answer);
  const counted: string[] = [];
  const client = createKubeClient({
    transport,
    clock,
    fieldManager: 'ringmaster',
    userAgent: 'ringmaster/1',
    requestDeadlineMs: 10_000,
    metrics: { requestFinished: (method, code) => counted.push(`${method} ${code}`) },
  });
  return { client, clock, transport, counted };
}

async function errorOf(promise: Promise<unknown>): Promise<KubeError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof KubeError, String(error));
    return error;
  }
  throw new Error('it succeeded');
}

function status(code: number, reason: string, extra: object = {}): HttpResponse {
  const message = `the server says ${reason}`;
  return jsonResponse(code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message, ...extra });
}

test('each verb sends the one request that its contract names', async () => {
  const { client, transport } = bench(() => jsonResponse(200, { ...object, items: [] }));
  const statefulSet = { namespace: 'ns', name: 's' };
  await client.get(resources.pods, pod, forever);
  await client.get(resources.namespaces, { name: 'n' }, forever);
  await client.list(resources.statefulSets, { namespace: 'ns', labelSelector: 'a in (b,c)', limit: 500 }, forever);
  await client.list(resources.statefulSets, {}, forever);
  await client.apply(
    resources.statefulSets,
    { metadata: { ...statefulSet, managedFields: [{}], resourceVersion: '1' }, spec: { replicas: 1 } },
    forever,
  );
  await client.patchStatus(resources.statefulSets, statefulSet, '5', { replicas: 1 }, forever);
  await client.jsonPatch(resources.pods, pod, [{ op: 'test', path: '/metadata/uid', value: 'u' }], forever);
  await client.delete(resources.pods, pod, { uid: 'u', resourceVersion: '5' }, forever);
  await client.podProxyGet('ns', 'p', 8778, '/jolokia/read/a:type=B/C?x=1', forever);
  await client.getPath('/readyz?verbose', forever);
  const writer = 'fieldManager=ringmaster&fieldValidation=Strict';
  assert.deepEqual(
    transport.sent.map(({ request }) => `${request.method} ${request.path}`),
    [
      'GET /api/v1/namespaces/ns/pods/p',
      'GET /api/v1/namespaces/n',
      'GET /apis/apps/v1/namespaces/ns/statefulsets?labelSelector=a%20in%20(b%2Cc)&limit=500',
      'GET /apis/apps/v1/statefulsets',
      `PATCH /apis/apps/v1/namespaces/ns/statefulsets/s?${writer}&force=true`,
      `PATCH /apis/apps/v1/namespaces/ns/statefulsets/s/status?${writer}`,
      `PATCH /api/v1/namespaces/ns/pods/p?${writer}`,
      'DELETE /api/v1/namespaces/ns/pods/p',
      'GET /api/v1/namespaces/ns/pods/p:8778/proxy/jolokia/read/a:type=B/C?x=1',
      'GET /readyz?verbose',
    ],
  );
  const bodies = transport.sent.slice(4, 8).map(({ request }) => ({
    type: request.headers?.['content-type'],
    body: JSON.parse(request.body ?? '') as unknown,
  }));
  assert.deepEqual(bodies, [
    {
      type: 'application/apply-patch+yaml',
      body: {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: { ...statefulSet, resourceVersion: '1' },
        spec: { replicas: 1 },
      },
    },
    { type: 'application/merge-patch+json', body: { metadata: { resourceVersion: '5' }, status: { replicas: 1 } } },
    { type: 'application/json-patch+json', body: [{ op: 'test', path: '/metadata/uid', value: 'u' }] },
    {
      type: 'application/json',
      body: {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: 'Background',
        preconditions: { uid: 'u', resourceVersion: '5' },
      },
    },
  ]);
  assert.ok(transport.sent.every(({ request }) => request.headers?.['user-agent'] === 'ringmaster/1'));
});

test('a token is asked for at its ServiceAccount, bound to a Secret; an answer without one is a bad answer', async () => {
  let answer: object = { status: { token: 'abc' } };
  const { client, transport } = bench(() => jsonResponse(201, answer));
  const account = { namespace: 'ns', name: 'a' };
  const boundSecret = { name: 's', uid: 'u' };
  assert.equal(await client.createToken(account, { expirationSeconds: 600, boundSecret }, forever), 'abc');
  const [sent] = transport.sent;
  assert.equal(`${sent?.request.method} ${sent?.request.path}`, 'POST /api/v1/namespaces/ns/serviceaccounts/a/token');
  assert.deepEqual((JSON.parse(sent?.request.body ?? '') as { spec: unknown }).spec, {
    expirationSeconds: 600,
    boundObjectRef: { apiVersion: 'v1', kind: 'Secret', name: 's', uid: 'u' },
  });
  answer = { status: {} };
  assert.equal((await errorOf(client.createToken(account, { expirationSeconds: 600 }, forever))).code, 'BadAnswer');
});

test("a list's items carry the kind that the list carries once", async () => {
  const { client } = bench(() => jsonResponse(200, { metadata: { resourceVersion: '9' }, items: [object] }));
  const list = await client.list(resources.statefulSets, {}, forever);
  assert.deepEqual(list.items, [{ apiVersion: 'apps/v1', kind: 'StatefulSet', ...object }]);
});

test('an absent namespace, or one too many, is a mistake of the program and sends nothing', async () => {
  const { client, transport } = bench(() => jsonResponse(200, object));
  assert.throws(() => client.get(resources.pods, { name: 'p' }, forever), TypeError);
  assert.throws(() => client.get(resources.namespaces, pod, forever), TypeError);
  assert.throws(() => client.get(resources.pods, { namespace: 'ns', name: '' }, forever), TypeError);
  assert.equal(transport.sent.length, 0);
});

test('every refusal becomes an error with its code, verb, path and the words of the server', async () => {
  const tooLarge = { details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } };
  const cases: [HttpResponse, KubeErrorCode, boolean][] = [
    [status(400, 'BadRequest'), 'BadRequest', false],
    [status(401, 'Unauthorized'), 'Unauthorized', false],
    [status(403, 'Forbidden'), 'Forbidden', false],
    [status(404, 'NotFound'), 'NotFound', false],
    [status(409, 'Conflict'), 'Conflict', false],
    [status(409, 'AlreadyExists'), 'AlreadyExists', false],
    [status(410, 'Expired'), 'Expired', false],
    [status(415, 'UnsupportedMediaType'), 'BadRequest', false],
    [status(422, 'Invalid'), 'Invalid', false],
    [status(429, 'TooManyRequests'), 'TooManyRequests', false],
    [status(500, 'InternalError'), 'ServerError', true],
    [status(500, 'x', { message: 'failed to create typed patch object (a/b): .spec.c: y' }), 'Invalid', false],
    [status(503, 'ServiceUnavailable'), 'ServerError', true],
    [status(504, 'Timeout'), 'ServerError', true],
    [status(504, 'Timeout', tooLarge), 'ResourceVersionTooLarge', true],
  ];
  for (const [response, code, mayHaveActed] of cases) {
    const { client } = bench(() => response);
    const error = await errorOf(client.get(resources.pods, pod, forever));
    assert.deepEqual([error.code, error.status, error.mayHaveActed], [code, response.status, mayHaveActed]);
    assert.match(error.message, /^GET \/api\/v1\/namespaces\/ns\/pods\/p: \d+ \w+: (the server says \w+|failed .* y)$/);
  }
});

test('a JSON patch that does not fit the object is a conflict, and one whose result is not valid is not', async () => {
  const message = 'the server rejected our request due to an error in our request';
  const invalid = {
    kind: 'Gadget',
    causes: [{ reason: 'FieldValueInvalid', message: 'Invalid value', field: 'spec.size' }],
  };
  for (const [response, code] of [
    [status(422, 'Invalid', { message, details: {} }), 'Conflict'],
    [
      status(422, 'Invalid', { message: 'Gadget "a" is invalid: spec.size: Invalid value', details: invalid }),
      'Invalid',
    ],
    [status(422, 'Invalid', { message, details: invalid }), 'Invalid'],
    [status(422, 'Denied', { message: 'admission webhook "a" denied the request' }), 'Invalid'],
  ] as const) {
    const { client } = bench(() => response);
    assert.equal((await errorOf(client.jsonPatch(resources.pods, pod, [], forever))).code, code);
  }
});

test('the wait that a server asks for is understood in all its forms', async () => {
  const cases: [HttpResponse, number | undefined][] = [
    [jsonResponse(429, {}, { 'retry-after': '7' }), 7000],
    [jsonResponse(503, {}, { 'retry-after': 'Thu, 01 Jan 2026 00:01:00 GMT' }), 60_000],
    [jsonResponse(503, {}, { 'retry-after': 'Wed, 31 Dec 2025 00:00:00 GMT' }), 0],
    [jsonResponse(503, {}, { 'retry-after': 'soon' }), undefined],
    [status(429, 'TooManyRequests', { details: { retryAfterSeconds: 3 } }), 3000],
    [status(429, 'TooManyRequests'), undefined],
  ];
  for (const [response, expected] of cases) {
    const { client } = bench(() => response);
    assert.equal((await errorOf(client.get(resources.pods, pod, forever))).retryAfterMs, expected);
  }
});

test('a failed connection becomes an error that says whether the server may have acted', async () => {
  const cases: [TransportFailure, KubeErrorCode, boolean][] = [
    ['refused', 'Unreachable', false],
    ['dns', 'Unreachable', false],
    ['tls', 'Unreachable', false],
    ['credentials', 'Unreachable', false],
    ['unreachable', 'Unreachable', true],
    ['reset', 'Unreachable', true],
    ['other', 'Unreachable', true],
    ['timeout', 'Timeout', true],
  ];
  for (const [failure, code, mayHaveActed] of cases) {
    const cause = new TransportError(failure, 'no luck');
    const { client, counted } = bench(() => Promise.reject(cause));
    const error = await errorOf(client.delete(resources.pods, pod, { uid: 'u', resourceVersion: '1' }, forever));
    assert.deepEqual([error.code, error.mayHaveActed, error.cause], [code, mayHaveActed, cause]);
    assert.equal(error.message, 'DELETE /api/v1/namespaces/ns/pods/p: no luck');
    assert.deepEqual(counted, ['DELETE <error>']);
  }
});

test('a request has one deadline, from its sending to the last byte of its answer', async () => {
  const silentBody: HttpResponse = {
    status: 200,
    headers: {},
    body: { [Symbol.asyncIterator]: () => ({ next: never }) },
  };
  for (const answer of [() => never<HttpResponse>(), () => silentBody]) {
    const { client, clock } = bench(answer);
    const error = errorOf(client.get(resources.pods, pod, forever));
    await clock.advance(10_000);
    assert.equal((await error).code, 'Timeout');
    assert.equal(clock.pendingTimers, 0);
  }
});

test("the caller's abort ends a request with the caller's own reason", async () => {
  const { client, clock } = bench(() => never());
  const stop = new AbortController();
  const request = client.get(resources.pods, pod, stop.signal);
  await settle();
  stop.abort(new Error('no longer needed'));
  await assert.rejects(request, /no longer needed/);
  assert.equal(clock.pendingTimers, 0);
});

test('an answer that is not what the API promises is an error, not an object', async () => {
  for (const text of ['<html>portal</html>', '[]', '"text"', '{}', '{"metadata":{}}', '']) {
    const { client } = bench(() => ({ status: 200, headers: {}, body: chunks(text) }));
    assert.equal((await errorOf(client.get(resources.pods, pod, forever))).code, 'BadAnswer', text);
    assert.equal((await errorOf(client.list(resources.pods, {}, forever))).code, 'BadAnswer', text);
  }
  const { client } = bench(() => ({ status: 302, headers: { location: '/login' }, body: chunks('') }));
  assert.equal((await errorOf(client.get(resources.pods, pod, forever))).code, 'BadAnswer');
});

test("a pod's own failure comes back as its answer, the API server's as an error", async () => {
  const own = bench(() => ({ status: 503, headers: {}, body: chunks('not ready') }));
  assert.deepEqual(await own.client.podProxyGet('ns', 'p', 8778, '/', forever), { status: 503, body: 'not ready' });
  const server = bench(() => status(503, 'ServiceUnavailable'));
  assert.equal((await errorOf(server.client.podProxyGet('ns', 'p', 8778, '/', forever))).code, 'ServerError');
});

function line(type: string, resourceVersion: string, name = 'p'): string {
  return `${JSON.stringify({ type, object: { metadata: { name, resourceVersion } } })}\n`;
}

async function collect(stream: AsyncIterable<WatchEvent>): Promise<string[]> {
  const events: string[] = [];
  for await (const event of stream) {
    events.push(event.type === 'ERROR' ? `ERROR ${event.object.code}` : `${event.type} ${event.object.metadata.name}`);
  }
  return events;
}

function watchOf(answer: () => HttpResponse | Promise<HttpResponse>, signal = forever, onChunk?: () => void) {
  const { client, clock, transport } = bench(answer);
  const stream = client.watch(resources.pods, { resourceVersion: '5', timeoutSeconds: 300 }, signal, onChunk);
  return { stream, clock, transport };
}

test('a watch asks for bookmarks from its resourceVersion on, over a connection for streams', async () => {
  const { stream, transport } = watchOf(() => ({ status: 200, headers: {}, body: chunks() }));
  assert.deepEqual(await collect(stream), []);
  const [sent] = transport.sent;
  assert.equal(
    sent?.request.path,
    '/api/v1/pods?resourceVersion=5&timeoutSeconds=300&watch=true&allowWatchBookmarks=true',
  );
  assert.equal(sent?.request.streaming, true);
});

test('watch events are found however the stream is cut into chunks, inside a character too', async () => {
  const text = line('ADDED', '6', 'größe-😀') + line('MODIFIED', '7', 'b') + '\n' + line('BOOKMARK', '8', '');
  const bytes = Buffer.from(text);
  for (let size = 1; size < 20; size++) {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
    let heard = 0;
    const body = (async function* () {
      yield* pieces;
    })();
    const { stream } = watchOf(
      () => ({ status: 200, headers: {}, body }),
      forever,
      () => heard++,
    );
    assert.deepEqual(await collect(stream), ['ADDED größe-😀', 'MODIFIED b', 'BOOKMARK ']);
    assert.equal(heard, pieces.length + 1, 'once for the acceptance and once a chunk');
  }
});

test('an error inside a watch is an event, an error instead of a watch is thrown', async () => {
  const gone = '{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}\n';
  assert.deepEqual(await collect(watchOf(() => ({ status: 200, headers: {}, body: chunks(gone) })).stream), [
    'ERROR 410',
  ]);
  assert.equal((await errorOf(collect(watchOf(() => status(410, 'Expired')).stream))).code, 'Expired');
});

test('a watch that is not one fails instead of losing events', async () => {
  const bodies = [
    line('ADDED', '6').slice(0, -5),
    'not JSON\n',
    '{"type":"ADDED"}\n',
    '{"type":"ADDED","object":{"metadata":{}}}\n',
    '{"type":"NEWTYPE","object":{"metadata":{"resourceVersion":"1"}}}\n',
  ];
  for (const body of bodies) {
    const error = await errorOf(collect(watchOf(() => ({ status: 200, headers: {}, body: chunks(body) })).stream));
    assert.equal(error.code, 'BadAnswer', body);
  }
});

test('a connection lost during a watch is told as such', async () => {
  const { stream } = watchOf(() => ({
    status: 200,
    headers: {},
    body: (async function* () {
      yield Buffer.from(line('ADDED', '6'));
      await settle();
      throw new TransportError('reset', 'other side closed');
    })(),
  }));
  assert.equal((await errorOf(collect(stream))).code, 'Unreachable');
});

test('a watch has a deadline for being accepted, and none after', async () => {
  const unanswered = watchOf(() => never());
  const error = errorOf(collect(unanswered.stream));
  await unanswered.clock.advance(10_000);
  assert.equal((await error).code, 'Timeout');
  const silence: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => ({ next: never }) };
  const accepted = watchOf(() => ({ status: 200, headers: {}, body: silence }));
  let ended = false;
  void collect(accepted.stream).finally(() => (ended = true));
  await accepted.clock.advance(1_000_000);
  assert.equal(ended, false);
  assert.equal(accepted.clock.pendingTimers, 0);
});

test('a watch that nobody reads any more, or whose caller aborts, gives its connection back', async () => {
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    for (;;) {
      await settle();
      yield Buffer.from(line('MODIFIED', '6'));
    }
  };
  const left = watchOf(() => ({ status: 200, headers: {}, body: endless() }));
  for await (const event of left.stream) {
    assert.equal(event.type, 'MODIFIED');
    break;
  }
  assert.equal(left.transport.sent[0]?.signal.aborted, true);
  const stop = new AbortController();
  const aborted = watchOf(() => ({ status: 200, headers: {}, body: endless() }), stop.signal);
  const reading = collect(aborted.stream);
  await settle();
  stop.abort(new Error('enough'));
  await assert.rejects(reading, /enough/);
  assert.equal(aborted.transport.sent[0]?.signal.aborted, true);
});
