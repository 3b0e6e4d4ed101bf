import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { request } from 'undici';
import { command } from '../harness/run/command.ts';
import { findPromtool } from '../harness/toolchain/promtool.ts';
import { type Regions, startRegions, waitFor } from '../harness/index.ts';
import { ControllerProcess } from '../ring/controller-process.ts';
import { Federation, installCrd } from '../ring/federation.ts';
import { expressions } from '../observability/monitoring-files.ts';
import { referencesOf } from '../observability/promql.ts';
import { problemsOf } from './exposition.ts';

suite('the page of metrics of a controller at work', () => {
  let regions: Regions;
  let page: string;

  before(async () => {
    regions = await startRegions({ regions: ['eu', 'us'], nodes: 'light' });
    await installCrd(regions, 'eu');
    await regions.prepareNamespace('metrics', { operator: false });
    const controller = new ControllerProcess(regions);
    const federation = new Federation(regions, 'metrics');
    await federation.apply();
    await federation.waitForCondition('Reachable', 'True', { region: 'us' });
    // A region that goes away shows in metrics of its own.
    await regions.region('us').controlPlane.kill();
    await federation.waitForCondition('Reachable', 'False', { region: 'us' });
    const port = await controller.port();
    page = await waitFor(
      async () => {
        const { body } = await request(`http://127.0.0.1:${port}/metrics`);
        const text = await body.text();
        return /^ringmaster_region_up\{.*"us".*\} 0$/m.test(text) && text;
      },
      { what: 'metrics that say that a region is away', timeoutMs: 300_000 },
    );
  });
  after(() => regions?.stop());

  test('keeps the rules of its format, by a reading of our own', () => {
    assert.deepEqual(problemsOf(page), []);
  });

  test('is what promtool has nothing to say about, where there is one', async () => {
    const promtool = await findPromtool(new AbortController().signal);
    if (promtool === undefined) return;
    assert.equal(await command(promtool, ['check', 'metrics'], { input: page, timeoutMs: 600_000 }), '');
  });

  test('holds every metric that rules and dashboards speak of', () => {
    const families = new Set([...page.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name));
    for (const { where, expression } of expressions()) {
      for (const metric of referencesOf(expression).metrics.keys()) {
        const isThere = families.has(metric) || families.has(metric.replace(/_(?:bucket|sum|count)$/, ''));
        assert.ok(isThere, `${where}: there is no metric ${metric}`);
      }
    }
  });

  test('tells of the federation in the hub', () => {
    const orders = 'federation_namespace="metrics",federation="orders"';
    assert.match(
      page,
      new RegExp(`^ringmaster_federation_condition\\{${orders},condition="RegionsReachable",status="False"`, 'm'),
    );
    assert.match(page, /^ringmaster_hub_cache_age_seconds [0-9.]+$/m);
  });

  test('the reading of our own finds what promtool finds', () => {
    const bad = ['# TYPE a_total gauge', 'a_total 1', 'b{x="1"} 2', '# HELP c_ms C.', '# TYPE c_ms counter', 'c_ms x'];
    const found = problemsOf(`${bad.join('\n')}\n`);
    for (const part of [
      /a_total: no help/,
      /a_total: only a counter/,
      /^b: no type/,
      /c_ms: not the base/,
      /not a sample: c_ms/,
    ]) {
      assert.ok(
        found.some((each) => part.test(each)),
        `${String(part)}: ${found.join('; ')}`,
      );
    }
  });
});
