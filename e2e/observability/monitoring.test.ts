import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { reasons, regionStages } from '../../src/api/conditions.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { command } from '../harness/run/command.ts';
import { findPromtool } from '../harness/toolchain/promtool.ts';
import { alerts, dashboards, expressions, monitoring, ruleGroups, runbooks } from './monitoring-files.ts';
import { referencesOf } from './promql.ts';

/** Labels that Prometheus gives to whatever it scrapes, and those of the buckets of histograms. */
const labelsOfTargets = new Set(['job', 'instance', 'pod', 'le']);
const testFiles = readdirSync(join(monitoring, 'tests')).map((file) => join(monitoring, 'tests', file));

test('rules and dashboards name labels that the metrics have', async () => {
  const { registry } = new Metrics();
  const known = new Map(
    registry.getMetricsAsArray().map((metric) => {
      // What its types leave out.
      const { labelNames = [] } = metric as typeof metric & { labelNames?: string[] };
      return [metric.name, new Set(labelNames)] as const;
    }),
  );
  for (const { where, expression } of expressions()) {
    for (const [metric, labels] of referencesOf(expression).metrics) {
      // Those of the process are there when it runs only: e2e/metrics reads them from one that does.
      if (/^(process|nodejs)_/.test(metric)) continue;
      const has = known.get(metric) ?? known.get(metric.replace(/_(bucket|sum|count)$/, ''));
      assert.ok(has, `${where}: there is no metric ${metric}`);
      for (const label of labels) {
        assert.ok(has.has(label) || labelsOfTargets.has(label), `${where}: ${metric} has no label ${label}`);
      }
    }
  }
});

test('rules and dashboards speak of conditions, reasons and stages that there are', () => {
  for (const { where, expression } of expressions()) {
    for (const [, selector = ''] of expression.matchAll(/ringmaster_federation_condition\{([^}]*)\}/g)) {
      const values = (label: string): string[] =>
        new RegExp(`\\b${label}[=!]~?"([^"]*)"`).exec(selector)?.[1]?.split('|') ?? [];
      const types = values('condition').filter((each) => !each.startsWith('$'));
      const words = new Set(types.flatMap((type) => Object.keys(reasons[type as keyof typeof reasons] ?? {})));
      for (const type of types) assert.ok(type in reasons, `${where}: condition ${type}`);
      for (const reason of values('reason'))
        assert.ok(words.has(reason), `${where}: reason ${reason} of ${types.join()}`);
    }
    for (const [, stage = ''] of expression.matchAll(/stage="([^"]*)"/g)) {
      assert.ok((regionStages as readonly string[]).includes(stage), `${where}: stage ${stage}`);
    }
  }
});

test('each alert says how bad it is, what is wrong, and has a page that says what to do', () => {
  const names = alerts().map(({ alert }) => alert);
  assert.equal(new Set(names).size, names.length);
  for (const { alert, labels, annotations, for: patience } of alerts()) {
    assert.match(alert, /^Ringmaster[A-Z]/);
    assert.match(labels['severity'] ?? '', /^(critical|warning)$/, alert);
    assert.match(patience ?? '0m', /^\d+[mh]$/, alert);
    assert.ok(annotations['summary'] && annotations['description'], alert);
    assert.equal(annotations['runbook_url'], `https://ringmaster.dev/docs/runbooks/${alert}.md`);
    const page = readFileSync(join(runbooks, `${alert}.md`), 'utf8');
    assert.ok(page.startsWith(`# ${alert}\n`), alert);
    for (const heading of ['What it means', 'What Ringmaster is doing', 'What to look at', 'What to type']) {
      assert.ok(page.includes(`\n## ${heading}\n`), `${alert}: ${heading}`);
    }
  }
});

test('the page on monitoring lists the alerts with how bad they are', () => {
  const page = readFileSync(join(runbooks, '../monitoring.md'), 'utf8');
  const rows = [...page.matchAll(/^\| \[(\w+)\]\(runbooks\/\1\.md\) \| (\w+) \|/gm)].map(([, alert, severity]) => [
    alert,
    severity,
  ]);
  assert.deepEqual(
    rows,
    alerts().map(({ alert, labels }) => [alert, labels['severity']]),
  );
});

test('there is no page for an alert that is gone', () => {
  const pages = readdirSync(runbooks).filter((file) => file.startsWith('Ringmaster'));
  assert.deepEqual(
    pages.toSorted(),
    alerts()
      .map(({ alert }) => `${alert}.md`)
      .toSorted(),
  );
});

test('the object of the Prometheus Operator holds the same rules', () => {
  const object = parse(readFileSync(join(monitoring, 'prometheusrule.yaml'), 'utf8')) as Record<string, unknown>;
  assert.equal(object['apiVersion'], 'monitoring.coreos.com/v1');
  assert.equal(object['kind'], 'PrometheusRule');
  assert.deepEqual(object['spec'], { groups: ruleGroups() });
});

test('each alert is in a test of the rules', () => {
  const text = testFiles.map((file) => readFileSync(file, 'utf8')).join('\n');
  for (const { alert } of alerts()) {
    assert.match(text, new RegExp(`labels: .*ALERTS\\{alertname="${alert}", alertstate="firing"`), alert);
  }
});

test('the rules fire on what they are for and on nothing else, says promtool, where there is one', async () => {
  const promtool = await findPromtool(new AbortController().signal);
  if (promtool === undefined) return;
  await command(promtool, ['check', 'rules', join(monitoring, 'rules.yaml')], { timeoutMs: 300_000 });
  await command(promtool, ['test', 'rules', ...testFiles], { timeoutMs: 300_000 });
});

test('the panels of a dashboard ask the data source that is chosen, say what they show, and do not overlap', () => {
  const ids = dashboards().map(({ uid }) => uid);
  assert.equal(new Set(ids).size, ids.length);
  for (const { title, panels } of dashboards()) {
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length, title);
    const cells = new Set<string>();
    for (const panel of panels) {
      const { x, y, w, h } = panel.gridPos;
      assert.ok(x + w <= 24, `${title}: ${panel.title}`);
      for (let column = x; column < x + w; column++) {
        for (let row = y; row < y + h; row++) {
          assert.ok(!cells.has(`${column}/${row}`), `${title}: ${panel.title} overlaps`);
          cells.add(`${column}/${row}`);
        }
      }
      if (panel.type === 'row') continue;
      assert.ok(panel.description && panel.targets?.length, `${title}: ${panel.title}`);
      for (const { datasource } of panel.targets) assert.equal(datasource.uid, '${datasource}', panel.title);
    }
  }
});

test('our own reading of PromQL finds names of metrics, of labels, and what is no PromQL', () => {
  const { metrics, labels } = referencesOf(
    'sum by (le) (rate(a_bucket{x="b{c}", y!~"d|e"}[5m])) / on (z) group_left f > 1e3 and absent(g) or vector(0)',
  );
  assert.deepEqual(
    [...metrics].map(([name, named]) => [name, ...named]),
    [['a_bucket', 'x', 'y'], ['f'], ['g']],
  );
  assert.deepEqual([...labels], ['le', 'z']);
  for (const bad of ['sum(a', 'a)', 'summ(a)', 'a{b="c"', 'a ? b']) assert.throws(() => referencesOf(bad), bad);
});
