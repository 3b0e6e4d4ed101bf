import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { constantRandom, VirtualClock } from '../edges/testing.ts';
import { ConnectedRegion } from './connected-region.ts';
import { SourcedRegistry } from './sourced-registry.ts';
import { clientMaker, connectTo, FakeApi, FakeSource, listening, registrationOf } from './testing.ts';

const hub = registrationOf('hub', 'https://hub');

interface Bench {
  registry: SourcedRegistry;
  clock: VirtualClock;
  files: FakeSource;
  secrets: FakeSource;
  apis: Map<string, FakeApi>;
  told: string[];
  lines: string[];
  region: (name: string) => ConnectedRegion;
}

/** A running registry with the hub in the files, and nothing else. */
async function bench(context: TestContext): Promise<Bench> {
  const clock = new VirtualClock();
  const apis = new Map(['hub', 'eu', 'us'].map((name) => [`https://${name}`, new FakeApi(`uid of ${name}`)]));
  const [files, secrets] = [new FakeSource(hub), new FakeSource()];
  const logger = listening();
  const registry = new SourcedRegistry({
    hub,
    sources: () => [files, secrets],
    connect: connectTo(apis).connect,
    makeClient: clientMaker(clock),
    clock,
    random: constantRandom(0.5),
    logger,
  });
  const told: string[] = [];
  registry.onChange((name) => told.push(name));
  const stop = new AbortController();
  const running = registry.run(stop.signal);
  context.after(async () => {
    stop.abort();
    await running;
    assert.equal(clock.pendingTimers, 0);
  });
  await clock.advance(1);
  const region = (name: string): ConnectedRegion => {
    const found = registry.get(name);
    assert.ok(found instanceof ConnectedRegion, `${name}: ${JSON.stringify(found)}`);
    return found;
  };
  return { registry, clock, files, secrets, apis, told, lines: logger.lines, region };
}

test('a region comes and goes while it runs, and both are told', async (context) => {
  const { registry, secrets, told, region } = await bench(context);
  assert.equal(registry.get('eu'), undefined);
  secrets.set(registrationOf('eu', 'https://eu'));
  const eu = region('eu');
  assert.deepEqual(registry.names(), ['hub', 'eu']);
  secrets.set();
  assert.equal(registry.get('eu'), undefined);
  assert.ok(eu.signal.aborted);
  assert.deepEqual(told, ['eu', 'eu']);
});

test('a name that is registered twice stays with whoever had it, until that one goes', async (context) => {
  const { clock, files, secrets, region, lines } = await bench(context);
  secrets.set(registrationOf('eu', 'https://eu', { origin: 'Secret a' }));
  const eu = region('eu');
  secrets.set(
    registrationOf('eu', 'https://us', { origin: 'Secret 0, older' }),
    registrationOf('eu', 'https://eu', { origin: 'Secret a' }),
  );
  files.set(hub, registrationOf('eu', 'https://us', { origin: 'file z' }));
  assert.equal(region('eu'), eu);
  assert.equal(eu.origin, 'Secret a');
  for (const other of ['Secret 0, older', 'file z']) {
    const said = lines.filter((line) => line.includes(`${other}: region eu is registered by Secret a already`));
    assert.equal(said.length, 1, lines.join('\n'));
  }
  await clock.advance(60_000);
  secrets.set();
  await clock.until('the other cluster has its turn, as another region', () => region('eu') !== eu);
  assert.equal(region('eu').origin, 'file z');
  assert.ok(eu.signal.aborted);
});

test('of two that come at once the first source counts', async (context) => {
  const clock = new VirtualClock();
  const registry = new SourcedRegistry({
    hub,
    sources: () => [
      new FakeSource(hub, registrationOf('eu', 'https://eu', { origin: 'file' })),
      new FakeSource(registrationOf('eu', 'https://us', { origin: 'Secret' })),
    ],
    connect: connectTo(new Map()).connect,
    makeClient: clientMaker(clock),
    clock,
    random: constantRandom(0.5),
    logger: listening(),
  });
  context.after(() => clock.advance(0));
  assert.equal((registry.get('eu') as ConnectedRegion).origin, 'file');
});

test('what is refused is there with its reason, and in use as soon as it is mended', async (context) => {
  const { registry, secrets, region } = await bench(context);
  secrets.set({ name: 'eu', origin: 'Secret a', problem: 'user.exec is not allowed' });
  assert.deepEqual(registry.get('eu'), { name: 'eu', origin: 'Secret a', refused: 'user.exec is not allowed' });
  secrets.set(registrationOf('eu', 'https://eu', { origin: 'Secret a' }));
  assert.equal(region('eu').origin, 'Secret a');
});

test('what breaks goes on as it was before, for those who may use it by now', async (context) => {
  const { secrets, told, region } = await bench(context);
  secrets.set(registrationOf('eu', 'https://eu', { origin: 'Secret a' }));
  const eu = region('eu');
  const tenancy = { hubNamespaces: new Set(['orders']), regionNamespaces: 'own' } as const;
  secrets.set({ name: 'eu', origin: 'Secret a', problem: 'it is not YAML', tenancy });
  assert.equal(region('eu'), eu);
  assert.equal(eu.problem, 'it is not YAML');
  assert.match(eu.tenancyProblem('billing', 'billing') ?? '', /billing/);
  assert.deepEqual(told, ['eu', 'eu']);
  secrets.set(registrationOf('eu', 'https://eu', { origin: 'Secret a' }));
  assert.equal(eu.problem, undefined);
  assert.equal(eu.tenancyProblem('billing', 'billing'), undefined);
});

test('whose registration does not say any more who may use it is given up', async (context) => {
  const { registry, secrets, region } = await bench(context);
  secrets.set(registrationOf('eu', 'https://eu', { origin: 'Secret a' }));
  const eu = region('eu');
  secrets.set({ name: 'eu', origin: 'Secret a', problem: 'annotation: "A" is no name of a namespace' });
  assert.ok(eu.signal.aborted);
  assert.ok('refused' in (registry.get('eu') ?? {}));
});

test('a region that leads to another cluster begins anew, with nothing of the old one', async (context) => {
  const { clock, secrets, apis, region } = await bench(context);
  secrets.set(registrationOf('eu', 'https://eu'));
  await clock.advance(1_000);
  const eu = region('eu');
  apis.set('https://elsewhere', new FakeApi('another uid'));
  secrets.set(registrationOf('eu', 'https://elsewhere'));
  await clock.until('it is another one', () => region('eu') !== eu);
  assert.ok(eu.signal.aborted);
  assert.equal(region('eu').host, 'elsewhere');
});

test('the hub stays, whoever takes its name away or wants it', async (context) => {
  const { registry, files, secrets } = await bench(context);
  secrets.set(registrationOf('hub', 'https://eu', { origin: 'Secret hub' }));
  assert.equal(registry.get('hub'), registry.hub);
  files.set();
  assert.equal(registry.get('hub'), registry.hub);
  assert.ok(!registry.hub.signal.aborted);
  assert.equal(registry.hub.host, 'hub');
  assert.match(registry.hub.problem ?? '', /not registered any more/);
  files.set(hub);
  assert.equal(registry.hub.problem, undefined);
});

test('that all sources were read is told, since a name that was missing may be there now', async (context) => {
  const { registry, secrets, told } = await bench(context);
  assert.equal(registry.pending, undefined);
  secrets.pending = 'they are on their way';
  secrets.set();
  assert.equal(registry.pending, 'they are on their way');
  told.length = 0;
  secrets.pending = undefined;
  secrets.set();
  assert.deepEqual(told, ['hub']);
});

test('when the hub answers again, sources that wait to ask it are told so', async (context) => {
  const { registry, apis, secrets } = await bench(context);
  const ask = (): Promise<unknown> => registry.hub.client.getPath('/readyz', new AbortController().signal);
  const api = apis.get('https://hub');
  assert.ok(api);
  apis.delete('https://hub');
  await assert.rejects(ask());
  assert.equal(secrets.retries, 0);
  apis.set('https://hub', api);
  await ask();
  assert.equal(secrets.retries, 1);
});
