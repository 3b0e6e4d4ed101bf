import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { SeededRandom } from '../../../src/edges/testing.ts';
import { guardData } from '../../../src/federation/guard/guard.ts';
import { GuardedPod } from '../../guard/guarded-pod.ts';
import {
  answers,
  JolokiaServer,
  normalWhileJoining,
  normalWith,
  recordedHostId,
  type RecordedAnswer,
} from '../../guard/jolokia-server.ts';
import type { Lookup } from '../../harness/dns/zone.ts';
import { readJvmOptions, readSettings } from '../../harness/kubelet/bootstrap.ts';
import { chooseSeeds } from '../../harness/kubelet/seed-choice.ts';
import { claimLoopbackNet, type LoopbackNet } from '../../light-node/loopback.ts';
import {
  decideBootstrap,
  postRun,
  preRun,
  type Alone,
  type BootstrapInput,
  type NodeSettings,
  type SeedAnswer,
} from './guard-decision.ts';

const pod = 'orders-us-rack1-0';
const hostName = `${pod}.orders.cassandra.svc.cluster.local`;
const address = '198.18.1.11';
const otherHostId = 'b9a0ce1e-5f2b-4d0a-9a57-4c5f1a3a4a10';
const scripts = guardData({ ignition: [], joined: [], waitSeconds: 600 });

const cassandra = (mode: string, clusterName = 'orders', hostId = recordedHostId, hasJoining = false): SeedAnswer => ({
  kind: 'cassandra',
  mode,
  clusterName,
  hostId,
  hasJoining,
});

/** What a seed may be: what its server answers, if there is one, and what the model takes that for. */
const kinds: Readonly<Record<string, [RecordedAnswer | undefined, SeedAnswer]>> = {
  normal: [answers.normal, cassandra('NORMAL')],
  alone: [normalWhileJoining(), cassandra('NORMAL')],
  busy: [normalWhileJoining('198.18.3.7'), cassandra('NORMAL', 'orders', recordedHostId, true)],
  stranger: [normalWith('LocalHostId', otherHostId), cassandra('NORMAL', 'orders', otherHostId)],
  nameless: [normalWith('LocalHostId', ''), cassandra('NORMAL', 'orders', '')],
  foreign: [normalWith('ClusterName', 'invoices'), cassandra('NORMAL', 'invoices')],
  joining: [answers.joining, cassandra('JOINING')],
  leaving: [answers.leaving, cassandra('LEAVING')],
  decommissioned: [answers.decommissioned, cassandra('DECOMMISSIONED')],
  starting: [answers.starting, cassandra('STARTING', 'orders', '')],
  booting: [answers.storageServiceMissing, { kind: 'open' }],
  locked: [answers.unauthorized, { kind: 'open' }],
  refused: [undefined, { kind: 'silent' }],
  unknown: [undefined, { kind: 'silent' }],
  unresolvable: [undefined, { kind: 'resolverFails' }],
  itself: [undefined, { kind: 'silent' }],
  neighbour: [undefined, { kind: 'silent' }],
};
/** Seeds that are names without an address. */
const names: Readonly<Record<string, string>> = {
  unknown: `${'u'.repeat(63)}.invalid`,
  unresolvable: `${'r'.repeat(63)}.invalid`,
  itself: `${pod}.invalid`,
  neighbour: `${pod}1.invalid`,
};
type Kind = keyof typeof kinds;

interface Situation {
  seeds: readonly Kind[];
  /** The ConfigMap's own text; `@kind` in it is the address of that kind of seed. */
  ignition?: string;
  joined?: string;
  wait?: string;
  closed?: string;
}

const own = `${pod} ${otherHostId}\n`;
const eu = `orders-eu-rack1-0 ${recordedHostId}\n`;

const table: readonly (readonly [string, Situation])[] = [
  ['a live seed', { seeds: ['normal'], joined: eu }],
  ['a live seed beside itself', { seeds: ['normal', 'itself'], joined: eu }],
  ['a live seed between others and itself', { seeds: ['refused', 'itself', 'normal', 'booting'], joined: eu }],
  ['a live seed beside itself and a neighbour', { seeds: ['itself', 'neighbour', 'normal'], joined: eu }],
  ['a live seed beside a neighbour', { seeds: ['neighbour', 'normal'], joined: eu }],
  ['a live seed beside itself, joined before', { seeds: ['itself', 'normal'], joined: own + eu }],
  ['a live seed behind others', { seeds: ['refused', 'booting', 'normal'], joined: eu }],
  ['a live seed after a name that cannot be looked up', { seeds: ['unresolvable', 'normal'], joined: eu }],
  ['a live seed before a name that cannot be looked up', { seeds: ['normal', 'unresolvable'], joined: eu }],
  ['a pod that has left, beside a live seed', { seeds: ['normal'], joined: own + eu, closed: `a\n${pod}\n` }],
  ['another pod has left', { seeds: ['normal'], joined: eu, closed: 'orders-us-rack1-1\n' }],
  ['every pod is closed', { seeds: ['normal'], ignition: `${pod} @refused\n`, joined: eu, closed: '*\n' }],
  ['a closed pod without the end of its line', { seeds: ['normal'], joined: eu, closed: ` ${pod} x` }],
  ['no seed at all', { seeds: [], joined: eu }],
  ['only seeds that are not NORMAL', { seeds: ['joining', 'leaving', 'starting', 'decommissioned'], joined: eu }],
  ['a seed of another cluster', { seeds: ['foreign'], joined: eu }],
  ['a seed that is not known', { seeds: ['stranger'], joined: eu }],
  ['the founder without a seed', { seeds: ['refused'], ignition: `${pod} @refused\n` }],
  ['the founder beside an open port', { seeds: ['refused', 'booting'], ignition: `${pod} @refused\n` }],
  ['the founder without a list', { seeds: [], ignition: `${pod} x\n` }],
  ['the founder whose resolver fails', { seeds: ['unresolvable'], ignition: `${pod} x\n` }],
  ['the founder that has joined before', { seeds: ['refused'], ignition: `${pod} @refused\n`, joined: own + eu }],
  ['an ignition line without an address', { seeds: ['refused'], ignition: pod }],
  ['another founder that is NORMAL', { seeds: ['normal'], ignition: 'orders-eu-rack1-0 @normal\n' }],
  ['another founder that has no host ID yet', { seeds: ['nameless'], ignition: 'orders-eu-rack1-0 @nameless\n' }],
  ['another founder elsewhere', { seeds: ['normal'], ignition: 'orders-eu-rack1-0 @refused\n' }],
  [
    'a founder once something has joined',
    { seeds: ['stranger'], ignition: 'orders-eu-rack1-0 @stranger\n', joined: eu },
  ],
  ['the only member', { seeds: ['refused'], joined: own }],
  ['the only member beside an open port', { seeds: ['joining'], joined: own }],
  ['a member that need not wait', { seeds: ['refused'], joined: own + eu, wait: '0' }],
  ['a member that has to wait', { seeds: ['refused'], joined: own + eu, wait: '300' }],
  ['a member with a malformed wait', { seeds: ['refused'], joined: own + eu, wait: 'soon' }],
  ['a wait with blanks in it', { seeds: ['refused'], joined: own + eu, wait: ' 0 0\n' }],
  ['a wait of ten digits', { seeds: ['refused'], joined: own + eu, wait: '0000000000' }],
  ['a stranger however short the wait is', { seeds: ['refused'], joined: eu, wait: '0' }],
  ['incomplete lines', { seeds: ['refused'], joined: `${own}orders-eu-rack1-0\n`, wait: '0' }],
  ['its own line without a host ID', { seeds: ['refused'], joined: `${pod}\n`, wait: '0' }],
  ['two lines for one pod', { seeds: ['stranger'], joined: `a ${otherHostId}\na ${recordedHostId}\n` }],
  ['carriage returns, tabs and more words', { seeds: ['normal'], joined: `\t a\t${recordedHostId} b c\r\n\r\n` }],
  ['a last line without its end', { seeds: ['refused'], joined: `\n${pod}  ${otherHostId}` }],
];

/** A situation of one of many thousand kinds. */
function drawSituation(random: SeededRandom): Situation {
  const pick = <T>(...items: readonly T[]): T => items[Math.floor(random.next() * items.length)] as T;
  const some = <T>(most: number, draw: () => T): T[] =>
    Array.from({ length: Math.floor(random.next() * (most + 1)) }, draw);
  const name = (): string => pick(pod, 'orders-eu-rack1-0', 'orders-ap-rack1-0', '');
  const line = (value: () => string): string =>
    `${pick('', ' ')}${name()}${pick(' ', '\t')}${value()}${pick('\n', '\r\n')}`;
  const kind = (): Kind => pick(...Object.keys(kinds));
  return {
    seeds: some(3, kind),
    ignition: some(pick(0, 0, 1, 2), () => line(() => `@${kind()}`)).join(''),
    joined: some(pick(0, 1, 3), () => line(() => pick(recordedHostId, recordedHostId, otherHostId, ''))).join(''),
    ...(random.next() < 0.2 && { closed: some(2, () => `${pick(pod, pod, '*', 'a')}\n`).join('') }),
    ...(random.next() < 0.7 && { wait: pick('0', '600', '', 'x', '00') }),
  };
}

describe('the decision of the bootstrap container', { concurrency: 4 }, () => {
  let net: LoopbackNet;
  const addresses = new Map<Kind, string>();
  const servers: JolokiaServer[] = [];

  before(async () => {
    net = await claimLoopbackNet();
    for (const [index, [kind, [answer]]] of Object.entries(kinds).entries()) {
      const at = net.address(index + 1);
      addresses.set(kind, names[kind] ?? at);
      if (answer) servers.push(await JolokiaServer.start(at, answer));
    }
  });
  after(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
    await net[Symbol.asyncDispose]();
  });

  const seedOf = (kind: Kind): string => addresses.get(kind) ?? '';
  const kindOf = (seed: string): Kind => [...addresses].find(([, each]) => each === seed)?.[0] ?? 'unknown';
  const inserted = (text: string): string => text.replaceAll(/@(\w+)/g, (_, kind: string) => seedOf(kind));

  function inputOf({ seeds, ignition, joined, wait, closed }: Situation): BootstrapInput {
    return {
      configMap: {
        ...scripts,
        ignition: inserted(ignition ?? ''),
        joined: inserted(joined ?? ''),
        guard_wait_seconds: wait ?? '600',
        closed: closed ?? '',
      },
      pod,
      hostName,
      address,
      clusterName: 'orders',
      seeds: seeds.map(seedOf).join(','),
      elapsedSeconds: 0,
      ask: (seed) => kinds[kindOf(seed)]?.[1] ?? { kind: 'silent' },
    };
  }

  /** What run.sh chooses; the harness has it in TypeScript. */
  function runSh(seeds: string) {
    const resolve = (name: string): Lookup =>
      kindOf(name) === 'unresolvable' ? { kind: 'outage' } : { kind: 'unknown' };
    return chooseSeeds(seeds, { hostName, address }, resolve, () => undefined, new AbortController().signal);
  }

  /** What post_run.sh leaves in Cassandra's files; undefined when it fails. */
  async function postRunSh(
    guarded: GuardedPod,
    chosen: string,
    alone: Alone | undefined,
  ): Promise<NodeSettings | undefined> {
    const conf = guarded.path('conf');
    writeFileSync(join(conf, 'cassandra.yaml'), `seed_provider:\n  - parameters:\n      - seeds: "${chosen}"\n`);
    writeFileSync(join(conf, 'cassandra-env.sh'), '');
    if (alone !== undefined) guarded.marker = alone;
    if ((await guarded.run('post_run.sh').exitCode()) !== 0) return undefined;
    const { seeds } = readSettings(conf);
    const refusesEmptyDisk = readJvmOptions(conf).includes('-Dcassandra.replace_address_first_boot=192.0.2.1');
    return { seeds: seeds.split(',').filter(Boolean), refusesEmptyDisk };
  }

  async function compare(situation: Situation): Promise<void> {
    const input = inputOf(situation);
    using guarded = new GuardedPod({ name: pod, seeds: situation.seeds.map(seedOf) });
    guarded.configure(input.configMap ?? {});
    const said = JSON.stringify(situation);

    const script = guarded.run('pre_run.sh');
    const waits = await Promise.race([
      script.says(/waits for a live seed|does not start/).then(
        () => true,
        () => false,
      ),
      script.exitCode().then(() => false),
    ]);
    const modelled = preRun(input);
    assert.equal(modelled.kind, waits ? 'wait' : 'pass', `${said}\n${script.output}`);
    if (modelled.kind === 'wait') {
      const limit = /\(for (\d+) s at most/.exec(script.output)?.[1];
      assert.equal(modelled.untilSeconds, limit === undefined ? undefined : Number(limit), said);
      assert.deepEqual(decideBootstrap(input), modelled);
      return;
    }
    assert.equal(await script.exitCode(), 0, `${said}\n${script.output}`);
    const { alone } = modelled;
    assert.equal(guarded.marker, alone, said);

    // The seed that pre_run.sh saw may be gone when run.sh looks for it.
    const { seeds } = input;
    const lonely = await postRunSh(guarded, hostName, alone);
    assert.deepEqual(postRun(input, hostName, alone), lonely, said);
    // Or be there again.
    const found = seeds === '' ? undefined : await postRunSh(guarded, seeds, alone);
    assert.deepEqual(postRun(input, seeds, alone), found, said);

    const decision = decideBootstrap(input);
    const choice = await runSh(seeds);
    if (choice.kind === 'failed') {
      assert.equal(decision.kind, 'fail', said);
      return;
    }
    const last = await postRunSh(guarded, choice.seeds, alone);
    assert.deepEqual(decision.kind === 'start' ? decision.settings : decision.kind, last ?? 'fail', said);
  }

  for (const [title, situation] of table) {
    test(`is that of the scripts for ${title}`, () => compare(situation));
  }

  const first = 1;
  for (let seed = first; seed < first + 200; seed++) {
    test(`is that of the scripts in the random situation ${seed}`, () =>
      compare(drawSituation(new SeededRandom(seed))));
  }

  test('turns where that of the scripts does when a member has waited long enough', async () => {
    const input = inputOf({ seeds: ['refused'], joined: own + eu, wait: '2' });
    using guarded = new GuardedPod({ name: pod, seeds: [seedOf('refused')] });
    guarded.configure(input.configMap ?? {});
    const script = guarded.run('pre_run.sh');
    await script.says(/waits for a live seed/);
    assert.deepEqual(preRun(input), { kind: 'wait', untilSeconds: 2 });
    assert.equal(await script.exitCode(), 0);
    assert.equal(guarded.marker, 'waited');
    assert.deepEqual(preRun({ ...input, elapsedSeconds: 2 }), { kind: 'pass', alone: 'waited' });
  });

  for (const seeds of [[], ['refused'], ['booting'], ['refused', 'joining'], ['unresolvable', 'normal']] as Kind[][]) {
    test(`without a guard is that of run.sh alone for ${seeds.join(', ') || 'no seeds'}`, async () => {
      const input = { ...inputOf({ seeds }), configMap: undefined };
      const decision = decideBootstrap(input);
      const choice = await runSh(input.seeds);
      const expected = choice.kind === 'failed' ? 'fail' : choice.seeds;
      assert.equal(decision.kind === 'start' ? decision.settings.seeds.join() : decision.kind, expected);
    });
  }
});
