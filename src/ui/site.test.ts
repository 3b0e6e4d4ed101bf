import assert from 'node:assert/strict';
import { test } from 'node:test';
import { casskop } from '../operators/casskop/casskop.ts';
import type { FederationSight } from './federation-view.ts';
import type { Leader } from './layout.ts';
import { edit, regionOf, sightOf, worldOf } from './sight.fixture.ts';
import { Site, type SiteAnswer } from './site.ts';

const regions = [regionOf('eu', 1), regionOf('us', 1)];

/** A site of these federations, on a clock that is moved by hand. */
function siteOf(federations: readonly FederationSight[] | undefined, leader: Leader = { isThis: true, name: 'one' }) {
  const world = { nowMs: 0, federations, asked: 0 };
  const site = new Site({
    operator: casskop,
    clock: { monotonic: () => world.nowMs },
    federations: () => {
      world.asked += 1;
      return world.federations;
    },
    leader: () => leader,
  });
  const get = (url: string, ifNoneMatch?: string, method = 'GET'): SiteAnswer => {
    const answer = site.answer({ method, url, ifNoneMatch });
    return answer ?? assert.fail(`${url} is not of the site`);
  };
  return { site, world, get };
}

test('paths beside /ui are not of the site', () => {
  const { site } = siteOf([]);
  for (const url of ['/', '/uix', '/metrics', '/UI']) {
    assert.equal(site.answer({ method: 'GET', url, ifNoneMatch: undefined }), undefined);
  }
});

test('one federation is shown at once, several are listed, and each has a page of its own', async () => {
  const one = sightOf(await worldOf(regions));
  const { world, get } = siteOf([one]);
  assert.match(get('/ui/').body, /<h1>\s*orders <small>in namespace cassandra<\/small>/);
  const other = { ...one, object: { ...one.object, metadata: { ...one.object.metadata, name: 'bills' } } };
  world.federations = [one, other];
  world.nowMs += 1000;
  const list = get('/ui/?x=1').body;
  assert.match(list, /2 federations; none needs a person\./);
  for (const [, address] of list.matchAll(/<a href="(cassandra[^"]+)"/g)) {
    const page = get(`/ui/${address}`);
    assert.equal(page.status, 200);
    assert.match(page.body, /href="\.\.\/page\.css"/);
    assert.match(page.body, /<a href="\.\.\/">All federations<\/a>/);
  }
});

test('all links are relative, so that a proxy may serve the page at another path', async () => {
  const { get } = siteOf([sightOf(await worldOf(regions))]);
  assert.deepEqual([get('/ui').status, get('/ui').headers['location']], [308, 'ui/']);
  for (const url of ['/ui/', '/ui/cassandra/orders']) {
    for (const [, address = ''] of get(url).body.matchAll(/(?:href|src)="([^"]*)"/g)) {
      assert.doesNotMatch(address, /^\/|:/, address);
    }
  }
});

test('only GET and HEAD are answered', () => {
  const { get } = siteOf([]);
  assert.equal(get('/ui/', undefined, 'HEAD').status, 200);
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    const answer = get('/ui/', undefined, method);
    assert.deepEqual([answer.status, answer.headers['allow']], [405, 'GET, HEAD']);
  }
});

test('every answer says what a browser may do with it', async () => {
  const { get } = siteOf([sightOf(await worldOf(regions))]);
  for (const url of ['/ui', '/ui/', '/ui/page.css', '/ui/live.js', '/ui/icon.svg', '/ui/a/b']) {
    const { headers } = get(url);
    assert.match(headers['content-security-policy'] ?? '', /^default-src 'none'; script-src 'self'; style-src 'self'/);
    assert.doesNotMatch(headers['content-security-policy'] ?? '', /unsafe|\*|data:|https?:/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['x-frame-options'], 'DENY');
    assert.equal(headers['referrer-policy'], 'no-referrer');
  }
});

test('nothing in the page needs what its policy forbids', async () => {
  const { get } = siteOf([sightOf(await worldOf(regions))]);
  const { body } = get('/ui/');
  assert.doesNotMatch(body, /\sstyle=|<style|\son[a-z]+=|javascript:|<script(?! src="live\.js" type="module"><)/);
});

test('who has the page already is told that nothing has changed, and gets it when something has', async () => {
  const world = await worldOf(regions);
  const { world: hub, get } = siteOf([sightOf(world)]);
  const { etag = '' } = get('/ui/').headers;
  for (const held of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const again = get('/ui/', held);
    assert.deepEqual([again.status, again.body, again.headers['etag']], [304, '', etag]);
  }
  hub.nowMs += 60_000;
  assert.equal(get('/ui/', etag).status, 304);
  edit(world, { regions, rollout: { restartToken: 'new' } });
  hub.federations = [sightOf(world)];
  hub.nowMs += 60_000;
  assert.equal(get('/ui/', etag).status, 200);
});

test('however many look on, the page is made twice a second at most', () => {
  const { world, get } = siteOf([]);
  for (let look = 0; look < 100; look++) {
    get('/ui/');
    world.nowMs += 10;
  }
  assert.equal(world.asked, 2);
});

test('before the hub is known, and of what it does not have, the page says so', () => {
  const { world, get } = siteOf(undefined);
  assert.deepEqual([get('/ui/').status, /not known yet/.test(get('/ui/').body)], [503, true]);
  world.federations = [];
  world.nowMs += 1000;
  assert.match(get('/ui/').body, /no MultiCassandraCluster in the hub/);
  for (const path of ['cassandra/orders', '../secrets', '%2e%2e/x', '%zz', 'live.js/', '__proto__']) {
    assert.equal(get(`/ui/${path}`).status, 404, path);
  }
});

test('a standby says so, and who leads', async () => {
  const sights = [sightOf(await worldOf(regions))];
  assert.match(siteOf(sights).get('/ui/').body, /This replica leads: <code>one<\/code>/);
  assert.match(siteOf(sights, { isThis: true, name: undefined }).get('/ui/').body, /This replica leads\./);
  assert.match(siteOf(sights, { isThis: false, name: 'two' }).get('/ui/').body, /stands by; <code>two<\/code> leads/);
  assert.match(siteOf(sights, { isThis: false, name: undefined }).get('/ui/').body, /nobody is known to lead/);
});

test('names and messages from objects are text on every page, whatever stands in them', async () => {
  const evil = `</p><script src="//x"></script><img src=x onerror="alert(1)">'"><svg onload=alert(1)>\u202e`;
  const world = await worldOf(regions);
  const { object, snapshot } = sightOf(world);
  const spoiled = JSON.parse(
    JSON.stringify(object, (key, value: unknown) =>
      ['message', 'reason', 'type', 'founder', 'hostId', 'pod', 'context'].includes(key) || key === 'seeds'
        ? spoil(value)
        : value,
    ),
  ) as typeof object;
  function spoil(value: unknown): unknown {
    return Array.isArray(value) ? value.map(spoil) : typeof value === 'string' ? value + evil : value;
  }
  const sight = { object: { ...spoiled, metadata: { ...spoiled.metadata, name: evil, namespace: evil } }, snapshot };
  const { world: hub, get } = siteOf([sight]);
  const alone = get('/ui/').body;
  hub.federations = [sight, { object, snapshot }];
  hub.nowMs += 1000;
  for (const body of [alone, get('/ui/').body]) {
    assert.ok(body.includes('&lt;script src=&quot;//x&quot;&gt;'));
    assert.doesNotMatch(body, /<script src="\/\/x|<img|<svg onload|\u202e/);
  }
});

test('what is in a Secret that a region names is not in the page', async () => {
  const world = await worldOf(regions);
  const secret = { kind: 'Secret', metadata: { name: 'admin' }, data: { password: 'aHVudGVyMg==' } };
  const snapshot = { ...world.snapshot(), sources: { 'Secret admin': { known: true as const, object: secret } } };
  const { get } = siteOf([{ object: world.mcc, snapshot }]);
  assert.doesNotMatch(get('/ui/').body, /aHVudGVyMg|hunter2/);
});
