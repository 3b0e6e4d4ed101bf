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
  const state = {
    up: true,
    cacheAgeMs: 1500 as number | undefined,
    lastSeenMs: 1_767_225_600_500,
    credentialsEndMs: 1_767_225_700_000,
  };
  const end = metrics.region('eu', () => state);
  assert.match((await metrics.page()).text, /^ringmaster_region_up\{region="eu"\} 1$/m);
  assert.match((await metrics.page()).text, /^ringmaster_region_cache_age_seconds\{region="eu"\} 1.5$/m);
  assert.match(
    (await metrics.page()).text,
    /^ringmaster_region_last_seen_timestamp_seconds\{region="eu"\} 1767225600.5$/m,
  );
  assert.match(
    (await metrics.page()).text,
    /^ringmaster_region_credentials_end_timestamp_seconds\{region="eu"\} 1767225700$/m,
  );
  metrics.applied('eu', 'success');
  metrics.watchRestarted('eu', 'idle');
  assert.match((await metrics.page()).text, /^ringmaster_region_apply_total\{region="eu",result="success"\} 1$/m);
  state.up = false;
  state.cacheAgeMs = undefined;
  assert.match((await metrics.page()).text, /^ringmaster_region_up\{region="eu"\} 0$/m);
  assert.doesNotMatch((await metrics.page()).text, /^ringmaster_region_cache_age_seconds\{/m);
  end();
  assert.doesNotMatch((await metrics.page()).text, /^ringmaster_region_[a-z_]+\{/m);
});

test('the end of a replaced region leaves its successor shown', async () => {
  const metrics = new Metrics();
  const end = metrics.region('eu', () => ({ up: false, cacheAgeMs: undefined, lastSeenMs: undefined }));
  metrics.region('eu', () => ({ up: true, cacheAgeMs: undefined, lastSeenMs: undefined }));
  end();
  assert.match((await metrics.page()).text, /^ringmaster_region_up\{region="eu"\} 1$/m);
});

test('requests are counted under the name client-go uses', async () => {
  const metrics = new Metrics();
  metrics.requests('127.0.0.1:6443').requestFinished('PATCH', '409', 300);
  assert.match(
    (await metrics.page()).text,
    /^rest_client_requests_total\{code="409",method="PATCH",host="127.0.0.1:6443"\} 1$/m,
  );
  assert.match(
    (await metrics.page()).text,
    /^rest_client_request_duration_seconds_bucket\{le="0.5",verb="PATCH",host="127.0.0.1:6443"\} 1$/m,
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

test('keys that wait are counted by priority, as controller-runtime does', async () => {
  const metrics = new Metrics();
  const waiting = new Map([
    [0, 2],
    [-100, 5],
  ]);
  metrics.queue('mcc').observe(() => ({ waiting, runningMs: [], concurrency: 8 }));
  const { text } = await metrics.page();
  assert.match(text, /^workqueue_depth\{name="mcc",controller="mcc",priority="0"\} 2$/m);
  assert.match(text, /^workqueue_depth\{name="mcc",controller="mcc",priority="-100"\} 5$/m);
  assert.match(text, /^controller_runtime_max_concurrent_reconciles\{controller="mcc"\} 8$/m);
});

test('the time requests wait for their turn is shown under the name client-go uses', async () => {
  const metrics = new Metrics();
  metrics.limited('127.0.0.1:6443', 'PATCH', 30);
  assert.match(
    (await metrics.page()).text,
    /^rest_client_rate_limiter_duration_seconds_bucket\{le="0.1",verb="PATCH",host="127.0.0.1:6443"\} 1$/m,
  );
});
