import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { request } from 'undici';
import type { SiteAnswer } from '../ui/site.ts';
import { serveHealth } from './health-server.ts';

async function serve(
  context: TestContext,
  answer?: () => SiteAnswer | undefined,
): Promise<(path: string, method?: 'GET' | 'HEAD') => Promise<{ status: number; text: string; type: unknown }>> {
  const server = await serveHealth({
    host: '127.0.0.1',
    port: 0,
    ready: () => true,
    metrics: () => Promise.resolve({ contentType: 'text/plain', text: 'up 1\n' }),
    ...(answer && { site: { answer } }),
  });
  context.after(() => server.close());
  return async (path, method = 'GET') => {
    const { statusCode, body, headers } = await request(`http://127.0.0.1:${server.port}${path}`, { method });
    return { status: statusCode, text: await body.text(), type: headers['content-type'] };
  };
}

const page: SiteAnswer = { status: 200, headers: { 'content-type': 'text/html' }, body: '<p>' };

test('the status page is served beside health and metrics', async (context) => {
  const get = await serve(context, () => page);
  assert.deepEqual(await get('/ui/'), { status: 200, text: '<p>', type: 'text/html' });
  assert.equal((await get('/healthz')).text, 'ok\n');
  assert.equal((await get('/metrics')).text, 'up 1\n');
});

test('HEAD is answered without a body', async (context) => {
  const get = await serve(context, () => page);
  assert.deepEqual(await get('/ui/', 'HEAD'), { status: 200, text: '', type: 'text/html' });
});

test('without a status page its path is unknown', async (context) => {
  const get = await serve(context);
  assert.deepEqual((await get('/ui/')).status, 404);
});

test('a page that cannot be made ends nothing', async (context) => {
  const get = await serve(context, () => {
    throw new Error('a mistake');
  });
  assert.deepEqual(
    [(await get('/ui/')).status, (await get('/ui/')).text],
    [500, 'the page cannot be made: a mistake\n'],
  );
  assert.equal((await get('/healthz')).status, 200);
});
