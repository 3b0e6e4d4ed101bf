import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { waitFor } from '../harness/index.ts';
import { barriers, launchBrowser, visit } from './browser.ts';
import { makeScenes, openStage, type SceneName } from './scenes.ts';

const timeout = 60_000;

suite('the status page in a browser, of federations in memory', () => {
  let browser: Browser | undefined;
  let scenes: Awaited<ReturnType<typeof makeScenes>>;

  before(async () => {
    browser = await launchBrowser();
    scenes = await makeScenes();
  });
  after(() => browser?.close());

  test('every state can be read by all, in light and dark, on wide and narrow screens, and asks for nothing from elsewhere', async () => {
    if (!browser) return;
    const all = Object.values(scenes);
    for (const [name, shown] of [...Object.entries(scenes), ['list', all] as const]) {
      await using stage = await openStage(Array.isArray(shown) ? all : [scenes[name as SceneName]]);
      for (const [width, colorScheme] of [
        [1280, 'light'],
        [360, 'dark'],
      ] as const) {
        await using there = await visit(browser, stage.url, { viewport: { width, height: 900 }, colorScheme });
        await there.page.getByText('Live', { exact: true }).waitFor({ timeout });
        assert.deepEqual(await barriers(there.page), [], `${name}, ${width}`);
        assert.deepEqual(there.complaints, [], name);
        assert.ok(
          there.requests.every((each) => each.startsWith(stage.url)),
          there.requests.join(' '),
        );
      }
    }
  });

  test('without JavaScript the same words are there', async () => {
    if (!browser) return;
    await using stage = await openStage([scenes.away]);
    const texts: string[] = [];
    for (const javaScriptEnabled of [true, false]) {
      await using there = await visit(browser, stage.url, { javaScriptEnabled });
      texts.push(await there.page.locator('main').innerText());
    }
    assert.equal(texts[0], texts[1]);
    for (const part of [
      'no answer within 5000 ms',
      'Look at the network',
      'not seen; other nodes hold it to be alive',
    ]) {
      assert.ok(texts[1]?.includes(part), part);
    }
  });

  test('it follows what happens, and keeps focus and what was opened', async () => {
    if (!browser) return;
    await using stage = await openStage([scenes.ready]);
    await using there = await visit(browser, stage.url);
    const { page } = there;
    await page.evaluate(`window.marked = true`);
    const summary = page.locator('summary', { hasText: 'of us' });
    await summary.click();
    await summary.focus();
    stage.shown = [scenes.changing];
    await page.locator('svg.ring .node.starting').waitFor({ timeout });
    assert.match(await page.locator('.headline').innerText(), /At work/);
    assert.deepEqual(await page.locator('details[open] summary').allInnerTexts(), ['Conditions and host IDs of us']);
    assert.match(String(await page.evaluate(`document.activeElement.textContent`)), /host IDs of us/);
    // Another federation comes, and this one goes.
    stage.shown = Object.values(scenes);
    await page.getByRole('heading', { level: 1, name: 'Federations' }).waitFor({ timeout });
    stage.shown = [];
    await page.getByText('There is no MultiCassandraCluster in the hub.').waitFor({ timeout });
    stage.shown = [scenes.twelve];
    await page.getByText('12 regions run one ring of 36 nodes').first().waitFor({ timeout });
    assert.equal(await page.evaluate(`window.marked`), true, 'the page was loaded again');
    assert.deepEqual(there.complaints, []);
    assert.deepEqual(await barriers(page), []);
  });

  test('it asks one question at a time, is sent nothing while nothing changes, and asks nothing while nobody looks', async () => {
    if (!browser) return;
    await using stage = await openStage([scenes.ready]);
    const page = await browser.newPage();
    const minute = 60_000;
    await page.clock.install();
    await page.goto(stage.url);
    await page.getByText('Live', { exact: true }).waitFor({ timeout });
    const statuses: number[] = [];
    page.on('response', (response) => statuses.push(response.status()));
    for (let look = 0; look < 3; look++) {
      const answer = page.waitForResponse(() => true, { timeout });
      await page.clock.runFor(2_000);
      await answer;
    }
    assert.deepEqual([...new Set(statuses)], [304]);

    const held: (() => Promise<void>)[] = [];
    await page.route('**/*', (route) => void held.push(() => route.continue()));
    await waitFor(() => page.clock.runFor(2_000).then(() => held.length > 0), {
      what: 'a question',
      timeoutMs: timeout,
    });
    await page.clock.runFor(minute);
    await page.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`);
    assert.equal(held.length, 1);

    await page.evaluate(`Object.defineProperty(document, 'hidden', { value: true, configurable: true })`);
    const last = page.waitForResponse(() => true, { timeout });
    for (const release of held.splice(0)) await release();
    await last;
    await page.clock.runFor(minute);
    assert.equal(held.length, 0);
    await page.evaluate(`delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))`);
    await waitFor(() => held.length === 1, { what: 'a question once somebody looks again', timeoutMs: timeout });
    await page.close();
  });

  test('when the controller does not answer it says so, and goes on when it does', async () => {
    if (!browser) return;
    await using stage = await openStage([scenes.ready]);
    await using there = await visit(browser, stage.url);
    const { page } = there;
    await page.getByText('Live', { exact: true }).waitFor({ timeout });
    await page.route('**/*', (route) => route.abort());
    await page.getByText('The controller does not answer').waitFor({ timeout });
    assert.match(await page.locator('.headline').innerText(), /Ready/);
    await page.unroute('**/*');
    await page.getByText('Live', { exact: true }).waitFor({ timeout });
  });
});
