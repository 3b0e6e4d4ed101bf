import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Regions, startRegions, waitFor } from '../harness/index.ts';
import { command } from '../harness/run/command.ts';
import { ControllerProcess } from '../ring/controller-process.ts';
import { Federation, installCrd, type Mcc } from '../ring/federation.ts';
import { findHealthProgram, type HealthProgram } from './health-program.ts';

const namespace = 'phases';
const kubectlTimeoutMs = 600_000;
/** What the hub holds, every version of it, and how each looks to Flux and to Argo CD. */
type Version = Mcc & { status?: { observedGeneration?: number } };

const condition = ({ status }: Version, type: string): string => {
  const found = status?.conditions?.find((each) => each.type === type);
  return found ? `${found.status} ${found.reason}` : '';
};
const isSeen = ({ metadata, status }: Version): boolean => status?.observedGeneration === metadata.generation;

/** The phases of a federation, by what tells each apart; the first one that fits is the one. */
const phases: readonly {
  readonly name: string;
  readonly is: (version: Version) => boolean;
  readonly kstatus: string;
  readonly argoCD: string;
}[] = [
  {
    name: 'being deleted',
    is: ({ metadata }) => metadata.deletionTimestamp !== undefined,
    kstatus: 'Terminating',
    argoCD: 'Progressing',
  },
  {
    name: 'created, and seen by nobody',
    is: ({ status }) => status?.conditions === undefined,
    kstatus: 'InProgress',
    argoCD: 'Progressing',
  },
  { name: 'edited, and not seen yet', is: (each) => !isSeen(each), kstatus: 'InProgress', argoCD: 'Progressing' },
  {
    name: 'refused',
    is: (each) => condition(each, 'Accepted').startsWith('False'),
    kstatus: 'Failed',
    argoCD: 'Degraded',
  },
  {
    name: 'waiting for a person',
    is: (each) => condition(each, 'Stalled').startsWith('True'),
    kstatus: 'Failed',
    argoCD: 'Degraded',
  },
  {
    name: 'paused',
    is: (each) => condition(each, 'Reconciling') === 'True Paused',
    kstatus: 'InProgress',
    argoCD: 'Suspended',
  },
  {
    name: 'forming',
    is: (each) => condition(each, 'Ready') === 'False Forming',
    kstatus: 'InProgress',
    argoCD: 'Progressing',
  },
  {
    name: 'being changed',
    is: (each) => condition(each, 'Ready') === 'False Changing',
    kstatus: 'InProgress',
    argoCD: 'Progressing',
  },
  {
    name: 'with a region that cannot be seen',
    is: (each) => condition(each, 'Ready') === 'Unknown RegionsUnreachable',
    kstatus: 'InProgress',
    argoCD: 'Progressing',
  },
  { name: 'ready', is: (each) => condition(each, 'Ready').startsWith('True'), kstatus: 'Current', argoCD: 'Healthy' },
];
/** Moments that need not come, and are as any other at which something is under way. */
const passing = { name: 'in passing', kstatus: 'InProgress', argoCD: 'Progressing' };

suite('a federation, as people and tools see it in every phase', () => {
  let regions: Regions;
  let federation: Federation;
  let health: HealthProgram;
  const versions: Version[] = [];
  const stop = new AbortController();

  before(async () => {
    health = await findHealthProgram(stop.signal);
    regions = await startRegions({ regions: ['eu', 'us'], nodes: 'light' });
    await installCrd(regions, 'eu');
    await regions.prepareNamespace(namespace, { pace: 'fast' });
    federation = new Federation(regions, namespace);
    void record();
  });
  after(async () => {
    stop.abort();
    await regions?.stop();
  });

  /** Keeps every version of the object; a stream that ends is begun again where it was. */
  async function record(): Promise<void> {
    const path = federation.path.replace(/\/[^/]+$/, '');
    let from = '0';
    while (!stop.signal.aborted) {
      try {
        for await (const { type, object } of federation.hub.watch<Version>(path, from, stop.signal)) {
          from = object.metadata.resourceVersion ?? from;
          if (type === 'ADDED' || type === 'MODIFIED') versions.push(object);
        }
      } catch {
        // The kind is not served from the first moment on.
        await delay(200, undefined, { signal: stop.signal }).catch(() => undefined);
      }
    }
  }

  const kubectl = (...args: string[]): Promise<string> =>
    command(regions.kubectl, ['--context', 'eu', '-n', namespace, ...args], { timeoutMs: kubectlTimeoutMs });
  const untilIs = (what: string, timeout = '500s'): Promise<string> =>
    kubectl('wait', `--for=condition=${what}`, `--timeout=${timeout}`, 'mcc/orders');

  test('kubectl wait waits for what nobody has looked at yet, and for the ring', async () => {
    await federation.apply();
    await waitFor(() => versions.length > 0, { what: 'the watch to begin', timeoutMs: 300_000 });
    await assert.rejects(untilIs('Ready', '2s'), /timed out/);
    new ControllerProcess(regions);
    assert.match(await untilIs('Ready'), /condition met/);
  });

  test('kubectl get shows at a glance how it does', async () => {
    const table = await kubectl('get', 'mcc', 'orders', '-o', 'wide');
    const [header = '', row = ''] = table.trimEnd().split('\n');
    assert.match(header, /^NAME +READY +REGIONS +NODES +FOUNDER +REASON +MESSAGE +AGE$/);
    assert.match(row, /^orders +True +2\/2 +2\/2 +eu +Ready +2 regions run one ring of 2 nodes +\S+$/);
    assert.doesNotMatch(await kubectl('get', 'mcc', 'orders'), /MESSAGE/);
  });

  test('kubectl wait waits for the whole of a change, from the moment it is applied', async () => {
    const { metadata } = (await federation.pods('us'))[0] ?? assert.fail();
    await federation.apply({ rollout: { restartToken: 'november' } });
    await untilIs('Ready');
    const now = (await federation.pods('us'))[0]?.metadata.uid;
    assert.ok(now !== undefined && now !== metadata.uid);
  });

  test('kubectl wait tells of a spec that is refused, and of one that is accepted again', async () => {
    await federation.apply({ rollout: { restartToken: 'november' }, regions: [{ name: 'eu' }] });
    await untilIs('Accepted=False');
    await untilIs('Ready=False', '10s');
    await federation.apply({ rollout: { restartToken: 'november' } });
    await untilIs('Accepted');
    await untilIs('Ready');
  });

  test('a pause shows as such', async () => {
    await federation.apply({ rollout: { restartToken: 'december', paused: true } });
    await federation.waitForCondition('Reconciling', 'True', { reason: 'Paused' });
    await federation.apply({ rollout: { restartToken: 'december' } });
    await untilIs('Ready');
  });

  test('a region that cannot be seen leaves nothing to vouch for', async () => {
    await regions.region('us').controlPlane.kill();
    await federation.waitForCondition('Ready', 'Unknown', { reason: 'RegionsUnreachable' });
    await untilIs('Ready=Unknown', '10s');
  });

  test('kubectl describe tells the story in order, each thing once', async (t) => {
    const wanted = [
      /Normal +MemberCreated .*create the member of region eu, which founds the ring/,
      /Normal +NodeJoined .*orders-eu-rack1-0 of region eu joined the ring/,
      /Normal +RegionJoined .*region eu is part of the ring, with 1 node/,
      /Normal +MemberCreated .*create the member of region us, which joins the ring/,
      /Normal +RegionJoined .*region us is part of the ring, with 1 node/,
      /Normal +Ready .*2 regions run one ring of 2 nodes/,
      /Normal +Changing /,
      /Normal +RegionChanging .*it is the turn of region eu/,
      /Normal +MemberChanged .*change the member of region eu: restarts its 1 node for spec.rollout.restartToken/,
      /Normal +RegionSettled .*region eu has settled/,
      /Normal +RegionChanging .*it is the turn of region us/,
      /Normal +RegionSettled .*region us has settled/,
      /Warning +RegionDropped .*us/,
      /Normal +Accepted .*the spec is valid/,
      /Normal +Paused /,
      /Warning +(Refused|Reset|Timeout|NoRoute) .*region us: /,
    ];
    await waitFor(
      async () => {
        const description = await kubectl('describe', 'mcc', 'orders');
        const missing = wanted.filter((line) => !line.test(description));
        if (missing.length > 0) throw new Error(`${missing.map(String).join('\n')}\nmissing in\n${description}`);
        return true;
      },
      { what: 'the events', timeoutMs: 300_000 },
    );
    interface Told {
      metadata: { name: string };
      eventTime: string;
      reason: string;
      note: string;
      reportingController: string;
      series?: { count: number };
    }
    const description = await kubectl('describe', 'mcc', 'orders');
    t.diagnostic(description.slice(description.indexOf('Events:')));
    const shown = wanted.slice(0, 6).map((line) => description.search(line));
    assert.deepEqual(
      shown,
      shown.toSorted((one, other) => one - other),
      description,
    );
    const events = await federation.hub.list<Told & Mcc>(`/apis/events.k8s.io/v1/namespaces/${namespace}/events`);
    const ours = events
      .filter(({ reportingController }) => reportingController === 'ringmaster.dev/controller')
      .toSorted((one, other) => one.eventTime.localeCompare(other.eventTime));
    const lines = ours.map(({ reason, note }) => `Normal ${reason} ${note}`);
    const at = (part: RegExp): number => lines.findIndex((line) => part.test(line));
    const order = [
      /MemberCreated .*region eu/,
      /RegionJoined .*region eu/,
      /MemberCreated .*region us/,
      /RegionJoined .*region us/,
      /Ready 2 regions/,
      /RegionChanging .*region eu/,
      /RegionChanging .*region us/,
      /RegionDropped /,
    ].map(at);
    assert.deepEqual(
      order,
      order.toSorted((one, other) => one - other),
      lines.join('\n'),
    );
    // The same words again are counted and not told anew.
    assert.equal(new Set(lines).size, lines.length, lines.join('\n'));
    assert.ok(ours.length < 45, `${ours.length} events`);
  });

  test('an object that is being deleted is seen as such', async () => {
    await federation.apply({ rollout: { restartToken: 'december' }, deletionPolicy: 'Delete' });
    await waitFor(async () => ((await federation.get()).metadata.finalizers ?? []).length > 0, {
      what: 'the finalizer',
      timeoutMs: 600_000,
    });
    await kubectl('delete', 'mcc', 'orders', '--wait=false');
    await waitFor(() => versions.some(({ metadata }) => metadata.deletionTimestamp !== undefined), {
      what: 'the deletion to be seen',
      timeoutMs: 300_000,
    });
  });

  test('Flux and Argo CD see every version of it as what it is, and every phase was there', async (t) => {
    const seen = new Set<string>();
    const all = [...versions];
    const [flux, argo] = [await health.kstatus(all), await health.argoCD(all)];
    for (const [index, version] of all.entries()) {
      const phase = phases.find(({ is }) => is(version)) ?? passing;
      if (!seen.has(phase.name)) {
        t.diagnostic(`${phase.name}: ${flux[index]?.status}; ${argo[index]?.status}: ${argo[index]?.message}`);
      }
      seen.add(phase.name);
      const what = `${phase.name}: ${JSON.stringify(version.status?.conditions, undefined, 1)}`;
      assert.equal(flux[index]?.status, phase.kstatus, what);
      assert.equal(argo[index]?.status, phase.argoCD, what);
      assert.notEqual(argo[index]?.message, '', what);
    }
    const missing = phases.filter(({ name }) => !seen.has(name) && name !== 'waiting for a person');
    assert.deepEqual(
      missing.map(({ name }) => name),
      [],
    );
  });
});
