import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from './metrics.ts';

test('two processes in one do not share metrics', async () => {
  const [one, two] = [new Metrics(), new Metrics()];
  one.watchRestarted('eu', 'idle');
  assert.match((await one.page()).text, /^ringmaster_region_watch_restarts_total\{region="eu",cause="idle"\} 1$/m);
  assert.doesNotMatch((await two.page()).text, /region="eu"/);
});

test('a region is shown as it is when metrics are read, and no longer once it is gone', async () => {
  const metrics = new Metrics();
  const state = { up: true, cacheAgeMs: 1500 as number | undefined };
  const end = metrics.region('eu', () => state);
  assert.match((await metrics.page()).text, /^ringmaster_region_up\{region="eu"\} 1$/m);
  assert.match((await metrics.page()).text, /^ringmaster_region_cache_age_seconds\{region="eu"\} 1.5$/m);
  state.up = false;
  state.cacheAgeMs = undefined;
  assert.match((await metrics.page()).text, /^ringmaster_region_up\{region="eu"\} 0$/m);
  assert.doesNotMatch((await metrics.page()).text, /^ringmaster_region_cache_age_seconds\{/m);
  end();
  assert.doesNotMatch((await metrics.page()).text, /^ringmaster_region_up\{/m);
});

test('the end of a replaced region leaves its successor shown', async () => {
  const metrics = new Metrics();
  const end = metrics.region('eu', () => ({ up: false, cacheAgeMs: undefined }));
  metrics.region('eu', () => ({ up: true, cacheAgeMs: undefined }));
  end();
  assert.match((await metrics.page()).text, /^ringmaster_region_up\{region="eu"\} 1$/m);
});

test('requests are counted under the name client-go uses', async () => {
  const metrics = new Metrics();
  metrics.requests('127.0.0.1:6443').requestFinished('PATCH', '409');
  assert.match(
    (await metrics.page()).text,
    /^rest_client_requests_total\{code="409",method="PATCH",host="127.0.0.1:6443"\} 1$/m,
  );
});

test('results of a controller are shown as zero before its first reconcile', async () => {
  const metrics = new Metrics();
  metrics.queue('mcc');
  for (const result of ['success', 'error', 'requeue', 'requeue_after']) {
    assert.match(
      (await metrics.page()).text,
      new RegExp(`^controller_runtime_reconcile_total\\{controller="mcc",result="${result}"\\} 0$`, 'm'),
    );
  }
});
