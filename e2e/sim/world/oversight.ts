import type { KubeObject } from '../../../src/kube/objects.ts';
import { parsePath } from '../api/paths.ts';
import type { ApiResponse, MemoryApiServer } from '../api/server.ts';
import type { KeyspaceAlteration, NodeOrder, Write } from '../invariants/invariant.ts';
import { statusOf } from '../invariants/reading.ts';
import { Beliefs } from './beliefs.ts';
import { Snapshot } from './snapshot.ts';
import type { Timeline } from './timeline.ts';
import { apiRequest, type Exchange, type Mishap, type Overseer } from './transport.ts';

/** A mishap that waits for the exchanges it is meant for. */
export interface PlannedMishap {
  /** Whether this exchange is one of them. */
  matches(exchange: Exchange): boolean;
  /** So many are let pass before. */
  after: number;
  /** And so many are hit. */
  count: number;
  readonly mishap: Mishap;
  /** What comes of a crash, at its moment. */
  readonly afterwards?: () => void;
}

const minuteMs = 60_000;

/** Stands at every API server's door: lets mishaps happen, and shows each write to those who check it. */
export class Oversight implements Overseer {
  readonly beliefs = new Beliefs();
  /** Who holds the Lease, and when each process began its last successful renewal. */
  #holder = '';
  readonly #renewals = new Map<string, number>();
  /** Who held the Lease when a write was sent that is on its way. */
  readonly #leases = new WeakMap<Exchange, Write['lease']>();
  #beforeWrites: { after: number; happens: (process: string) => void }[] = [];
  #onRequests: { part: string; happens: (process: string) => void }[] = [];
  /** What was believed when a write was sent that is on its way. */
  readonly #whenSent = new WeakMap<Exchange, Beliefs>();
  #asSent: Beliefs | undefined;
  readonly #now: () => number;
  readonly #timeline: Timeline;
  readonly #onWrite: (write: Write) => void;
  readonly #onOrder: (order: NodeOrder) => void;
  readonly #onAlter: (alteration: KeyspaceAlteration) => void;
  readonly #onCrash: (process: string) => void;
  /** What each process last said it does, by cluster. */
  readonly #whys = new Map<string, string>();
  readonly #requests = new Map<string, { at: number; isWrite: boolean }[]>();
  readonly #lags = new Map<string, { untilMs: number; snapshot: Snapshot }>();
  #planned: PlannedMishap[] = [];
  readonly #afterwards = new WeakMap<Exchange, () => void>();
  /** What the status said so far, by conditions and stages. */
  readonly states = new Set<string>();
  writes = 0;
  requests = 0;

  constructor(options: {
    now: () => number;
    timeline: Timeline;
    onWrite: (write: Write) => void;
    onOrder: (order: NodeOrder) => void;
    onAlter: (alteration: KeyspaceAlteration) => void;
    onCrash: (process: string) => void;
  }) {
    this.#now = options.now;
    this.#timeline = options.timeline;
    this.#onWrite = options.onWrite;
    this.#onOrder = options.onOrder;
    this.#onAlter = options.onAlter;
    this.#onCrash = options.onCrash;
  }

  plan(mishap: PlannedMishap): void {
    this.#planned.push(mishap);
  }

  /** Calls `happens` when so many writes more have been about to be sent, and the next one waits for its connection. */
  beforeWrite(after: number, happens: (process: string) => void): void {
    this.#beforeWrites.push({ after, happens });
  }

  /** Calls `happens` once, when the next request whose path holds `part` has left its process. */
  onRequest(part: string, happens: (process: string) => void): void {
    this.#onRequests.push({ part, happens });
  }

  connecting(process: string): Beliefs {
    const beliefs = this.beliefs.copy();
    for (const each of this.#beforeWrites) {
      if (each.after-- > 0) continue;
      this.#beforeWrites = this.#beforeWrites.filter((other) => other !== each);
      each.happens(process);
    }
    return beliefs;
  }

  /** What a process goes by: for a write that is looked at, what it went by when it sent that. */
  get asSent(): Beliefs {
    return this.#asSent ?? this.beliefs;
  }

  /** Until then what is read from a cache of `cluster`, as with resourceVersion=0, is how things are now. */
  lag(cluster: string, server: MemoryApiServer, untilMs: number): void {
    this.#lags.set(cluster, { untilMs, snapshot: new Snapshot(server) });
  }

  /** Nothing that was planned happens any more. */
  calmDown(): void {
    this.#planned = [];
    this.#beforeWrites = [];
    this.#onRequests = [];
    this.#lags.clear();
  }

  /** `process` says what it is about to do in `cluster`. */
  intend(process: string, cluster: string, why: string): void {
    this.#whys.set(`${process} ${cluster}`, why);
  }

  requestsOfLastMinute(): { by: string; requests: number; writes: number }[] {
    const since = this.#now() - minuteMs;
    return [...this.#requests].map(([by, all]) => {
      while (all[0] && all[0].at < since) all.shift();
      return { by, requests: all.length, writes: all.filter(({ isWrite }) => isWrite).length };
    });
  }

  mishap(exchange: Exchange): Mishap | undefined {
    this.requests++;
    const { process, isWrite } = exchange;
    let all = this.#requests.get(process);
    if (!all) this.#requests.set(process, (all = []));
    all.push({ at: this.#now(), isWrite });
    if (isWrite) {
      this.#whenSent.set(exchange, exchange.beliefs ?? this.beliefs.copy());
      const sinceRenewalMs = exchange.sentAtMs - (this.#renewals.get(process) ?? -Infinity);
      this.#leases.set(exchange, { holder: this.#holder, sinceRenewalMs });
    }
    for (const each of this.#onRequests) {
      if (!exchange.request.path.includes(each.part)) continue;
      this.#onRequests = this.#onRequests.filter((other) => other !== each);
      each.happens(process);
    }
    for (const planned of this.#planned) {
      if (!planned.matches(exchange)) continue;
      if (planned.after > 0) {
        planned.after--;
        continue;
      }
      planned.count--;
      if (planned.count <= 0) this.#planned = this.#planned.filter((each) => each !== planned);
      this.#timeline.note('fault', () => `${JSON.stringify(planned.mishap)} for ${describe(exchange)}`);
      if (planned.afterwards) this.#afterwards.set(exchange, planned.afterwards);
      return planned.mishap;
    }
    return undefined;
  }

  serve(exchange: Exchange, server: MemoryApiServer): ApiResponse {
    const { request, process, cluster, isWrite, isLease } = exchange;
    if (isLease) return this.#serveLease(exchange, server);
    if (!isWrite) {
      const asked = apiRequest(request, process);
      const lag = this.#lags.get(cluster);
      const old = lag && this.#now() < lag.untilMs ? lag.snapshot.answer(asked) : undefined;
      return old ?? server.handle(asked);
    }
    this.writes++;
    const { target } = parsePath(request.path);
    const read = (): KubeObject | undefined => {
      const { status, body } = server.handle({
        method: 'GET',
        path: request.path.replace(/(\/status)?(\?.*)?$/, ''),
        user: process,
      });
      return status === 200 ? (body as KubeObject) : undefined;
    };
    const before = read();
    const asked = apiRequest(request, process);
    const response = server.handle(asked);
    const after = read();
    const plural = target?.plural ?? '';
    const succeeded = response.status < 300;
    if (succeeded && target?.subresource === 'status' && plural === 'multicassandraclusters')
      this.states.add(stateOf(after));
    const why =
      plural === 'multicassandraclusters' ? 'status' : (this.#whys.get(`${process} ${cluster}`) ?? 'nothing it said');
    this.#timeline.note(process, () => `${describe(exchange)} -> ${response.status} ${reasonOf(response)}(${why})`);
    this.#asSent = this.#whenSent.get(exchange);
    this.#onWrite({
      by: process,
      cluster,
      method: request.method as Write['method'],
      plural,
      name: target?.name ?? '',
      subresource: target?.subresource,
      body: asked.body,
      before,
      after,
      succeeded,
      lease: this.#leases.get(exchange) ?? { holder: '', sinceRenewalMs: Infinity },
      why,
    });
    this.#asSent = undefined;
    if (succeeded && after && after !== before) {
      this.beliefs.write(process, cluster, plural, after.metadata.resourceVersion ?? '');
    }
    return response;
  }

  order(exchange: Exchange, pod: string, path: string): void {
    const { process: by, cluster } = exchange;
    const [, , , , what, hostId] = path.split('/');
    this.writes++;
    this.#timeline.note(by, () => `orders ${pod} in ${cluster}: ${what} ${hostId ?? ''}`);
    this.#asSent = this.#whenSent.get(exchange);
    this.#onOrder({
      by,
      cluster,
      pod,
      what: what === 'removeNode' ? 'removeNode' : 'decommission',
      hostId: what === 'removeNode' ? hostId : undefined,
      lease: this.#leases.get(exchange) ?? { holder: '', sinceRenewalMs: Infinity },
      why: this.#whys.get(`${by} ${cluster}`) ?? 'nothing it said',
    });
    this.#asSent = undefined;
  }

  alter(exchange: Exchange, alteration: Pick<KeyspaceAlteration, 'pod' | 'keyspace' | 'before' | 'after'>): void {
    const { process: by, cluster } = exchange;
    this.writes++;
    const { pod, keyspace, after } = alteration;
    this.#timeline.note(by, () => `has ${pod} alter keyspace ${keyspace}: ${JSON.stringify(after)}`);
    this.#asSent = this.#whenSent.get(exchange);
    this.#onAlter({
      ...alteration,
      by,
      cluster,
      lease: this.#leases.get(exchange) ?? { holder: '', sinceRenewalMs: Infinity },
      why: this.#whys.get(`${by} ${cluster}`) ?? 'nothing it said',
    });
    this.#asSent = undefined;
  }

  #serveLease(exchange: Exchange, server: MemoryApiServer): ApiResponse {
    const { request, process, sentAtMs } = exchange;
    const response = server.handle(apiRequest(request, process));
    if (request.method === 'GET' || response.status >= 300) return response;
    const { spec } = response.body as { spec: { holderIdentity: string } };
    if (spec.holderIdentity !== this.#holder) {
      this.#timeline.note(process, () => `${describe(exchange)}: the Lease is ${spec.holderIdentity || "nobody's"}`);
    }
    this.#holder = spec.holderIdentity;
    if (this.#holder === process) this.#renewals.set(process, sentAtMs);
    return response;
  }

  heard(process: string, cluster: string, plural: string, resourceVersion: string): void {
    this.beliefs.hear(process, cluster, plural, resourceVersion);
  }

  crash(process: string, exchange: Exchange): void {
    this.#timeline.note(
      'fault',
      () => `${process} dies at ${describe(exchange)}; it had heard ${this.beliefs.describe(process)}`,
    );
    this.#onCrash(process);
    this.#afterwards.get(exchange)?.();
  }
}

function stateOf(mcc: KubeObject | undefined): string {
  const { conditions = [], regions = [] } = statusOf(mcc);
  const said = conditions.map(({ type, status, reason }) => `${type}=${status}/${reason}`);
  return [...said, ...regions.map(({ stage }) => stage)].join(' ');
}

function describe({ cluster, request, number }: Exchange): string {
  return `#${number} ${request.method} ${cluster}${request.path.replace(/\?.*/, '')}`;
}

function reasonOf({ status, body }: ApiResponse): string {
  return status < 300 ? '' : `${String((body as { message?: string }).message)} `;
}
