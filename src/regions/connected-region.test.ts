import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { constantRandom, VirtualClock } from '../edges/testing.ts';
import { ConnectedRegion } from './connected-region.ts';
import { clientMaker, connectTo, FakeApi, type FakeConnections, listening, registrationOf } from './testing.ts';

const forever = new AbortController().signal;

interface Bench {
  region: ConnectedRegion;
  clock: VirtualClock;
  apis: Map<string, FakeApi>;
  made: FakeConnections[];
  events: string[];
}

/** A running region at https://old, which is the cluster `one`. */
async function bench(context: TestContext, options: { isHub?: boolean } = {}): Promise<Bench> {
  const clock = new VirtualClock();
  const apis = new Map([['https://old', new FakeApi('one')]]);
  const events: string[] = [];
  const { connect, made } = connectTo(apis);
  const region = new ConnectedRegion({
    registration: registrationOf('eu', 'https://old'),
    isHub: options.isHub ?? false,
    connect,
    makeClient: clientMaker(clock),
    clock,
    random: constantRandom(0.5),
    logger: listening(),
    onChange: (what) => events.push(what),
    onOtherCluster: () => events.push('other cluster'),
  });
  const stop = new AbortController();
  const running = region.run(stop.signal);
  context.after(async () => {
    stop.abort();
    await running;
    assert.ok(
      made.every((each) => each.isClosed),
      'every connection is closed in the end',
    );
    assert.equal(clock.pendingTimers, 0);
  });
  await clock.advance(1);
  return { region, clock, apis, made, events };
}

/** The server that a request of the region's own client reaches. */
async function reached({ region, apis }: Bench): Promise<string | undefined> {
  const before = new Map([...apis].map(([server, { paths }]) => [server, paths.length]));
  await region.client.getPath('/readyz', forever);
  return [...apis].find(([server, { paths }]) => paths.length > (before.get(server) ?? 0))?.[0];
}

test('registered at another address of the same cluster, it is reached there by the same client', async (context) => {
  const all = await bench(context);
  all.apis.set('https://new', new FakeApi('one'));
  assert.equal(await reached(all), 'https://old');
  all.region.register(registrationOf('eu', 'https://new'));
  await all.clock.until('it is rotated', () => all.events.includes('rotated'));
  assert.equal(await reached(all), 'https://new');
  assert.equal(all.made[0]?.isClosed, true);
  assert.equal(all.region.host, 'new');
  assert.equal(all.region.signal.aborted, false);
});

test('what does not work is not taken, is said, and is tried until it does', async (context) => {
  const all = await bench(context);
  const revoked = new FakeApi('one');
  revoked.isRevoked = true;
  all.apis.set('https://new', revoked);
  all.region.register(registrationOf('eu', 'https://new'));
  await all.clock.until('it is said', () => all.events.includes('rotation failed'));
  assert.match(all.region.problem ?? '', /what is registered now does not work: .*401/);
  assert.equal(await reached(all), 'https://old');
  await all.clock.advance(60_000);
  assert.deepEqual(all.events, ['rotation failed'], 'it is said once');
  assert.ok(revoked.paths.length < 30, `asked ${revoked.paths.length} times in a minute`);
  revoked.isRevoked = false;
  await all.clock.until('it is rotated', () => all.events.includes('rotated'));
  assert.equal(all.region.problem, undefined);
  assert.equal(await reached(all), 'https://new');
});

test('the latest registration counts, whatever is being tried', async (context) => {
  const all = await bench(context);
  all.region.register(registrationOf('eu', 'https://nowhere'));
  await all.clock.until('it is said', () => all.events.includes('rotation failed'));
  all.apis.set('https://new', new FakeApi('one'));
  all.region.register(registrationOf('eu', 'https://new'));
  await all.clock.until('it is rotated', () => all.events.includes('rotated'), 1_000);
  all.region.register(registrationOf('eu', 'https://nowhere'));
  await all.clock.until('it is said again', () => all.events.filter((each) => each === 'rotation failed').length === 2);
  all.region.register(registrationOf('eu', 'https://new'));
  assert.equal(all.region.problem, undefined, 'what is in use is registered again');
  await all.clock.advance(60_000);
  assert.equal(await reached(all), 'https://new');
});

test('another cluster never takes the place of the one whose objects are known', async (context) => {
  const all = await bench(context);
  all.apis.set('https://new', new FakeApi('two'));
  all.region.register(registrationOf('eu', 'https://new'));
  await all.clock.until('it is told', () => all.events.includes('other cluster'));
  assert.equal(await reached(all), 'https://old');
  assert.equal(all.region.host, 'old');
});

test('nor of one that has never said who it is', async (context) => {
  const all = await bench(context);
  const silent = new FakeApi('one');
  silent.isRevoked = true;
  const clock = new VirtualClock();
  const events: string[] = [];
  const { connect } = connectTo(new Map([['https://silent', silent], ...all.apis]));
  const region = new ConnectedRegion({
    registration: registrationOf('eu', 'https://silent'),
    isHub: false,
    connect,
    makeClient: clientMaker(clock),
    clock,
    random: constantRandom(0.5),
    logger: listening(),
    onChange: (what) => events.push(what),
    onOtherCluster: () => events.push('other cluster'),
  });
  const stop = new AbortController();
  const running = region.run(stop.signal);
  await clock.advance(5_000);
  region.register(registrationOf('eu', 'https://old'));
  await clock.until('it is told', () => events.length > 0);
  assert.deepEqual(events, ['other cluster']);
  stop.abort();
  await running;
});

test('a cluster that says by itself that it is another one is told apart', async (context) => {
  const { region, events } = await bench(context);
  region.identified('one');
  assert.deepEqual(events, []);
  region.identified('two');
  assert.deepEqual(events, ['other cluster']);
});

test('the hub stays the cluster it is, and says what is registered instead', async (context) => {
  const all = await bench(context, { isHub: true });
  all.apis.set('https://new', new FakeApi('two'));
  all.region.register(registrationOf('eu', 'https://new'));
  await all.clock.until('it is said', () => all.events.includes('rotation failed'));
  assert.match(all.region.problem ?? '', /another cluster \(kube-system uid two\) than the hub \(one\)/);
  assert.equal(await reached(all), 'https://old');
});

test('a client for a namespace ends with the permission, and with the region', async (context) => {
  const { region } = await bench(context);
  const client = region.clientFor('orders', 'orders');
  await client.getPath('/readyz', forever);
  region.allow({ hubNamespaces: new Set(['billing']), regionNamespaces: 'own' });
  await assert.rejects(client.getPath('/readyz', forever), /does not let namespace "orders"/);
  await region.client.getPath('/readyz', forever);
  region.end();
  assert.ok(region.signal.aborted);
});

test('when an outage is over, watches and requests go on over new connections to the same place', async (context) => {
  const all = await bench(context);
  const { region, clock, apis, made } = all;
  const api = apis.get('https://old');
  assert.ok(api);
  let over = 0;
  region.outages.onOver(() => over++);
  apis.delete('https://old');
  await assert.rejects(region.client.getPath('/readyz', forever));
  apis.set('https://old', api);
  assert.equal(made.length, 1);
  await region.client.getPath('/readyz', forever);
  assert.equal(over, 1);
  assert.equal(made.length, 2);
  await clock.advance(1);
  assert.deepEqual(
    made.map((each) => each.isClosed),
    [true, false],
  );
  assert.equal(await reached(all), 'https://old');
  assert.equal(region.problem, undefined);
});
