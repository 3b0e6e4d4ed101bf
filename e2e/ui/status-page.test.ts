import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { request } from 'undici';
import { type Regions, startRegions, waitFor } from '../harness/index.ts';
import { ControllerProcess } from '../ring/controller-process.ts';
import { Federation, formationTimeoutMs, installCrd } from '../ring/federation.ts';
import { barriers, launchBrowser, visit } from './browser.ts';

const names = ['eu', 'us', 'ap'];
const racks = ['a', 'b', 'c'];
const namespace = 'cassandra';
const browserTimeoutMs = 60_000;

suite('the status page of a federation of nine nodes', () => {
  let regions: Regions;
  let federation: Federation;
  let controller: ControllerProcess;
  let standby: ControllerProcess;
  let origin: string;
  let browser: Browser | undefined;

  before(async () => {
    browser = await launchBrowser();
    regions = await startRegions({ regions: names, nodes: 'light' });
    await installCrd(regions, 'eu');
    await regions.prepareNamespace(namespace);
    controller = new ControllerProcess(regions);
    federation = new Federation(regions, namespace);
    origin = `http://127.0.0.1:${await controller.port()}`;
    await untilPageSays(/There is no MultiCassandraCluster in the hub/);
    await federation.apply(spec());
    await federation.ready();
    standby = new ControllerProcess(regions, { name: 'standby' });
    await untilPageSays(/9<tspan class="of">\/9/);
  });
  after(async () => {
    await browser?.close();
    await regions?.stop();
  });

  function spec(rollout: Record<string, unknown> = {}): Record<string, unknown> {
    return {
      regions: names.map((name) => ({
        name,
        datacenters: [{ name, nodesPerRacks: 1, racks: racks.map((rack) => ({ name: rack })) }],
      })),
      rollout,
    };
  }

  async function get(
    path: string,
    options: { method?: 'GET' | 'HEAD' | 'POST'; headers?: Record<string, string>; from?: string } = {},
  ): Promise<{ status: number; text: string; headers: Record<string, unknown> }> {
    const { from = origin, ...rest } = options;
    const { statusCode, body, headers } = await request(`${from}${path}`, rest);
    return { status: statusCode, text: await body.text(), headers };
  }

  async function untilPageSays(pattern: RegExp, from = origin, path = '/ui/'): Promise<string> {
    return waitFor(
      async () => {
        const { text } = await get(path, { from });
        if (pattern.test(text)) return text;
        throw new Error(text.replaceAll(/<[^>]*>|\s+/g, ' ').slice(0, 3000));
      },
      { what: `the page to say ${String(pattern)}`, timeoutMs: formationTimeoutMs },
    );
  }

  test('tells everything in HTML: regions, nodes, seeds, conditions', async () => {
    const { status, text, headers } = await get('/ui/');
    assert.equal(status, 200);
    assert.match(String(headers['content-type']), /^text\/html/);
    const mcc = await federation.get();
    const hosts = mcc.status?.regions?.flatMap((region) => region.hosts ?? []) ?? [];
    assert.equal(hosts.length, 9);
    for (const { pod, hostId } of hosts) assert.ok(text.includes(pod) && text.includes(hostId), pod);
    for (const seed of mcc.status?.seeds ?? []) assert.ok(text.includes(seed), seed);
    for (const { type, message } of mcc.status?.conditions ?? []) {
      assert.ok(text.includes(type) && text.includes(message), type);
    }
    assert.equal(
      text.match(/class="node up"/g)?.length,
      9 * 2 + 2,
      'nine in the ring, nine in tables, two in the legend',
    );
  });

  test('is sent again only when something has changed, and only to GET and HEAD', async () => {
    const { headers } = await get('/ui/');
    assert.equal((await get('/ui/', { headers: { 'if-none-match': String(headers['etag']) } })).status, 304);
    const head = await get('/ui/', { method: 'HEAD' });
    assert.deepEqual([head.status, head.text, head.headers['etag']], [200, '', headers['etag']]);
    assert.equal((await get('/ui/', { method: 'POST' })).status, 405);
    assert.match(String(headers['content-security-policy']), /^default-src 'none'/);
  });

  test('costs no request to any API server', async () => {
    const sent = async (): Promise<number> => {
      const { text } = await get('/metrics');
      const counts = [...text.matchAll(/^rest_client_requests_total\{.*\} (\d+)$/gm)].map(([, count]) => Number(count));
      return counts.reduce((sum, count) => sum + count, 0);
    };
    const before = await sent();
    const views = 500;
    for (let view = 0; view < views; view++) await get(view % 2 === 0 ? '/ui/' : `/ui/${namespace}/orders`);
    const during = (await sent()) - before;
    assert.ok(before > 0 && during < views / 4, `${during} requests during ${views} views`);
  });

  test('is served by a standby, too, which says who leads', async () => {
    const from = `http://127.0.0.1:${await standby.port()}`;
    const text = await untilPageSays(/stands by; <code>[^<]+<\/code> leads\.[\s\S]*9<tspan class="of">\/9/, from);
    const [, leader] = /<code>([^<]+)<\/code> leads\./.exec(text) ?? [];
    assert.ok((await get('/ui/')).text.includes(`This replica leads: <code>${leader}</code>`));
  });

  test('is not there with --no-ui', async () => {
    const without = new ControllerProcess(regions, { name: 'without', arguments: ['--no-ui'] });
    const from = `http://127.0.0.1:${await without.port()}`;
    assert.equal((await get('/healthz', { from })).status, 200);
    assert.equal((await get('/ui/', { from })).status, 404);
    await without.stop();
  });

  test('is complete without JavaScript, in the light and in the dark, wide and narrow, for eyes and ears', async () => {
    if (!browser) return;
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [1280, 360]) {
        const options = { javaScriptEnabled: false, colorScheme, viewport: { width, height: 900 } };
        await using there = await visit(browser, `${origin}/ui`, options);
        const { page, complaints, requests } = there;
        const text = await page.locator('main').innerText();
        for (const part of [
          '3 regions run one ring of 9 nodes',
          'orders-us-b-0',
          'What to do',
          'RingIntact',
          '3 of 3',
        ]) {
          assert.ok(text.includes(part), part);
        }
        assert.match(await page.locator('.live').innerText(), /Reload the page/);
        assert.deepEqual(await barriers(page), []);
        assert.deepEqual(complaints, []);
        assert.ok(
          requests.length >= 2 && requests.every((each) => each.startsWith(`${origin}/ui`)),
          requests.join(' '),
        );
      }
    }
  });

  test('follows an edit without being loaded again, and keeps what was opened', async () => {
    if (!browser) return;
    await using there = await visit(browser, `${origin}/ui/`, { colorScheme: 'dark' });
    const { page, complaints, requests } = there;
    await page.getByText('Live', { exact: true }).waitFor({ timeout: browserTimeoutMs });
    await page.evaluate(`window.marked = true`);
    await page.getByText('Conditions and host IDs of us').click();
    await federation.apply(spec({ restartToken: 'november', paused: true }));
    const headline = page.locator('.headline');
    await headline.filter({ hasText: 'Paused' }).waitFor({ timeout: browserTimeoutMs });
    await page.getByText('Set spec.rollout.paused: false to go on.').first().waitFor({ timeout: browserTimeoutMs });
    await federation.apply(spec());
    await federation.ready();
    await headline.filter({ hasText: '3 regions run one ring of 9 nodes' }).waitFor({ timeout: browserTimeoutMs });
    assert.equal(await page.evaluate(`window.marked`), true, 'the page was loaded again');
    assert.deepEqual(await page.locator('details[open] summary').allInnerTexts(), ['Conditions and host IDs of us']);
    assert.deepEqual(await barriers(page), []);
    assert.deepEqual(complaints, []);
    assert.ok(
      requests.every((each) => each.startsWith(`${origin}/ui/`)),
      requests.join(' '),
    );
  });

  test('shows what others have written as text, and nothing of it is run', async () => {
    const evil = '<img src=x onerror=alert(1)><script>alert(2)</script>';
    const bills = new Federation(regions, namespace, { name: 'bills' });
    await bills.apply({ seeds: { address: `{pod}.${evil}.example.net` } });
    await bills.waitForCondition('Accepted', 'False');
    const text = await untilPageSays(/&lt;img src=x onerror=alert/);
    assert.doesNotMatch(text, /<img|<script>/);
    if (!browser) return;
    for (const path of ['/ui/', `/ui/${namespace}/bills`]) {
      await using there = await visit(browser, `${origin}${path}`);
      await there.page.getByText('<script>alert(2)</script>').first().waitFor({ timeout: browserTimeoutMs });
      await there.page.getByText('Live', { exact: true }).waitFor({ timeout: browserTimeoutMs });
      assert.equal(await there.page.locator('img, script:not([src])').count(), 0);
      assert.deepEqual(there.complaints, []);
      assert.deepEqual(await barriers(there.page), []);
    }
  });

  test('lists several federations, those first that need a person, and leads to each', async () => {
    const { text } = await get('/ui/');
    assert.match(text, /2 federations; 1 needs a person\./);
    assert.ok(text.indexOf('>bills<') < text.indexOf('>orders<'));
    if (!browser) return;
    await using there = await visit(browser, `${origin}/ui/`);
    await there.page.getByRole('link', { name: 'orders' }).click();
    await there.page.getByRole('heading', { level: 1, name: /^orders/ }).waitFor({ timeout: browserTimeoutMs });
    await there.page.getByRole('link', { name: 'All federations' }).click();
    await there.page.getByRole('heading', { level: 1, name: 'Federations' }).waitFor({ timeout: browserTimeoutMs });
  });

  test('says so when a region is gone, and when the controller does not answer any more', async () => {
    const path = `/ui/${namespace}/orders`;
    await using there = browser && (await visit(browser, `${origin}${path}`, { colorScheme: 'dark' }));
    await there?.page.getByText('Live', { exact: true }).waitFor({ timeout: browserTimeoutMs });
    await regions.region('ap').controlPlane.kill();
    await federation.waitForCondition('Reachable', 'False', { region: 'ap' });
    await untilPageSays(/not seen; other nodes hold it to be alive/, origin, path);
    if (!there) return;
    await there.page.locator('svg.ring .node.unknown').first().waitFor({ timeout: browserTimeoutMs });
    assert.deepEqual(await barriers(there.page), []);
    assert.deepEqual(there.complaints, []);
    await controller.stop();
    await there.page.getByText('The controller does not answer').waitFor({ timeout: browserTimeoutMs });
    assert.match(await there.page.locator('h1').innerText(), /orders/);
  });
});
