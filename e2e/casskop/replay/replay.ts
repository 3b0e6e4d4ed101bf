import { isDeepStrictEqual } from 'node:util';
import type { ApiObject } from '../../harness/api-server.ts';
import { sleep } from '../../../src/edges/clock.ts';
import { VirtualClock } from '../../../src/edges/testing.ts';
import { JolokiaError, type AskNode } from '../jolokia.ts';
import { paces } from '../pace.ts';
import { run } from '../run.ts';
import { ReplayServer, type Change } from './replay-server.ts';
import {
  collections,
  type Expectation,
  type Have,
  type Kind,
  type Recording,
  type User,
  type World,
} from './recording.ts';

/** What the recording does not hold: the operator's clockwork, its dice, and what the nodes answered. */
export interface Circumstances {
  /** When the operator had its first look, seconds; before 0 when it had been running already. */
  startedAt: number;
  /** How long a call to the API server or to a node took, milliseconds. */
  callMs: number;
  /** How long an operation of a node took, milliseconds. */
  operationMs: number;
  /** What the operator drew at `t` seconds, in [0, 1). */
  draw: (t: number) => number;
  /** What pod `pod` answers over Jolokia at `t` seconds. @throws JolokiaError */
  answer: (pod: string, body: Record<string, unknown>, t: number) => unknown;
}

const lastApplied = 'cassandraclusters.db.orange.com/last-applied-configuration';
const operator = 'casskop';
/** How long after the recorded moment the controllers wait for a write, seconds. */
const patience = 1;

/**
 * Runs the stand-in against a server in memory on which everything but the operator happens as recorded, and answers
 * what it wrote, in the form of the recording's expectations.
 */
export async function replay({ header, lines }: Recording, circumstances: Circumstances): Promise<Expectation[]> {
  const clock = new VirtualClock(Date.parse(header.epoch) + Math.min(circumstances.startedAt, 0) * 1000);
  const seconds = (): number => (clock.now() - Date.parse(header.epoch)) / 1000;
  const api = new ReplayServer(clock, circumstances.callMs);
  for (const line of lines) if ('have' in line) api.set(collections[line.have], serverObject(line), 'past');

  const observer = new Observer(seconds);
  api.onChange((change) => observer.see(change));
  const ask: AskNode = async (host, body, _credentials, signal) => {
    const isQuestion = body['type'] === 'READ' || body['operation'] === 'describeRingJMX';
    await sleep(clock, isQuestion ? circumstances.callMs : circumstances.operationMs, signal);
    const pod = podAt(api, host);
    if (pod === undefined) throw new JolokiaError(`${host}: nobody there`);
    return circumstances.answer(pod, body, seconds());
  };
  const stop = new AbortController();
  const options = {
    api,
    namespace: 'cass',
    pace: paces.true,
    ask,
    clock,
    random: { next: () => circumstances.draw(seconds()) },
    operatorName: 'casskop-pod',
    log: () => undefined,
  };
  const advanceTo = (t: number): Promise<void> => clock.advance(Math.max(0, (t - seconds()) * 1000));
  const running = run(options, stop.signal);
  let statefulSetWrites = 0;
  for (const line of lines) {
    if ('have' in line) continue;
    await advanceTo(line.t);
    if ('world' in line) happen(api, line);
    else if ('user' in line) act(api, line);
    else if (line.expect === 'StatefulSet') {
      // What follows is the controllers' answer to this write, so it must not come before it.
      const deadline = line.t + patience;
      for (statefulSetWrites++; observer.count('StatefulSet') < statefulSetWrites && seconds() < deadline;) {
        await clock.advance(circumstances.callMs);
      }
    }
  }
  await advanceTo(header.end);
  stop.abort(new Error('the recording ends'));
  await clock.advance(1000);
  await running;
  return observer.seen;
}

function serverObject({ object }: Have): ApiObject {
  return { ...object, metadata: { creationTimestamp: '2026-11-20T00:00:00Z', ...object.metadata } };
}

function podAt(api: ReplayServer, address: string): string | undefined {
  return api.names(collections.Pod).find((name) => {
    const status = api.peek(collections.Pod, name)?.['status'] as { podIP?: string } | undefined;
    return status?.podIP === address;
  });
}

/** The controllers and the kubelet do what they did. @throws Error when an object they change is not there. */
function happen(api: ReplayServer, { t, world, name, object, status, deletionTimestamp, gone }: World): void {
  const collection = collections[world];
  if (gone) {
    api.drop(collection, name, 'world');
    return;
  }
  if (object) {
    api.set(collection, object, 'world');
    return;
  }
  const stored = api.peek(collection, name);
  if (!stored) throw new Error(`at ${t} s ${world} ${name} changes, but it is not there`);
  if (status !== undefined) stored['status'] = status;
  if (deletionTimestamp !== undefined) stored.metadata.deletionTimestamp = deletionTimestamp;
  api.set(collection, stored, 'world');
}

function act(api: ReplayServer, step: User): void {
  const { CassandraCluster, Pod } = collections;
  if (step.delete) {
    api.drop(CassandraCluster, 'fed', 'user');
  } else if (step.metadata) {
    const head = { apiVersion: 'db.orange.com/v2', kind: 'CassandraCluster' };
    api.set(CassandraCluster, { ...head, metadata: step.metadata, spec: step.spec }, 'user');
  } else if (step.pod !== undefined) {
    const pod = api.peek(Pod, step.pod);
    if (!pod) throw new Error(`at ${step.t} s ${step.pod} is labelled, but it is not there`);
    pod.metadata.labels = { ...pod.metadata.labels, ...step.labels };
    api.set(Pod, pod, 'user');
  } else {
    const cluster = api.peek(CassandraCluster, 'fed');
    if (!cluster) throw new Error(`at ${step.t} s the CassandraCluster is changed, but it is not there`);
    if (step.spec !== undefined) cluster['spec'] = step.spec;
    if (step.seedlist) cluster['status'] = { ...(cluster['status'] as object), seedlist: step.seedlist };
    api.set(CassandraCluster, cluster, 'user');
  }
}

/** Turns the operator's writes into expectations, leaving out those that say nothing new. */
class Observer {
  readonly seen: Expectation[] = [];
  readonly #seconds: () => number;
  readonly #last = new Map<string, Omit<Expectation, 't'>>();
  readonly #specs = new Map<string, unknown>();

  constructor(seconds: () => number) {
    this.#seconds = seconds;
  }

  count(kind: Kind): number {
    return this.seen.filter(({ expect }) => expect === kind).length;
  }

  see(change: Change): void {
    const kind = (Object.keys(collections) as Kind[]).find((each) => collections[each].endsWith(`/${change.plural}`));
    if (!kind) return;
    const { name } = change.object.metadata;
    const key = `${kind}/${name}`;
    const view = kind === 'CassandraCluster' ? clusterView(change.object) : objectView(kind, change);
    const specIsNew = !isDeepStrictEqual(this.#specs.get(key), change.object['spec']);
    this.#specs.set(key, change.object['spec']);
    const isNew = !isDeepStrictEqual(this.#last.get(key), view);
    if (view) this.#last.set(key, view);
    if (!view || change.manager !== operator || this.#seconds() < 0) return;
    if (kind === 'CassandraCluster') {
      if (specIsNew) this.seen.push({ t: this.#seconds(), ...view, spec: change.object['spec'] });
      else if (isNew) this.seen.push({ t: this.#seconds(), ...view });
    } else if (isNew) {
      this.seen.push({ t: this.#seconds(), ...view });
    }
  }
}

function clusterView({ metadata, ...rest }: ApiObject): Omit<Expectation, 't'> {
  const annotation = metadata.annotations?.[lastApplied];
  const applied = annotation === undefined ? undefined : (JSON.parse(annotation) as ApiObject).metadata.generation;
  return {
    expect: 'CassandraCluster',
    generation: metadata.generation ?? 0,
    applied: applied ?? null,
    status: withoutTimes(rest['status'] ?? {}),
  };
}

/** Labels of operations on pods; shapes of everything else; of a claim only that it is to go. */
function objectView(kind: Kind, { object, type }: Change): Omit<Expectation, 't'> | undefined {
  const { name, labels = {}, deletionTimestamp } = object.metadata;
  switch (kind) {
    case 'Pod': {
      const operation = Object.entries(labels).filter(([label]) => label.startsWith('operation-'));
      return { expect: kind, name, labels: withoutTimes(Object.fromEntries(operation)) };
    }
    case 'PersistentVolumeClaim':
      return type === 'DELETED' || deletionTimestamp ? { expect: kind, name, deleted: true } : undefined;
    case 'StatefulSet':
      return { expect: kind, name, labels, spec: withoutTimes(object['spec']) };
    case 'PodDisruptionBudget':
    case 'Service':
      return { expect: kind, name, labels, spec: object['spec'] };
    case 'CassandraCluster':
      return undefined;
  }
}

/** Times of any form become `<time>`: when things happen is compared by the moment they were seen. */
export function withoutTimes<T>(value: T): T {
  return JSON.parse(
    JSON.stringify(value).replaceAll(/"(\d{8}T\d{6}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"/g, '"<time>"'),
  ) as T;
}
