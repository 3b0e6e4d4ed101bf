import assert from 'node:assert/strict';
import { constantRandom, settle, VirtualClock } from '../edges/testing.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { KubeError, type KubeErrorCode } from './errors.ts';
import type { KubeObject } from './objects.ts';
import type { ReflectorOptions } from './reflector-options.ts';
import { Reflector } from './reflector.ts';
import type { Change } from './store.ts';
import { FakeCluster } from './testing.ts';

const things = { group: 'test', version: 'v1', plural: 'things', kind: 'Thing', namespaced: true };

/** A reflector on a fake cluster and a virtual clock, with everything it reported. */
export class Bench {
  readonly clock = new VirtualClock();
  readonly cluster = new FakeCluster(this.clock);
  readonly changes: string[] = [];
  /** What one would hold who only listens to the changes. */
  readonly replica = new Map<string, KubeObject>();
  readonly connections: boolean[] = [];
  readonly reflector: Reflector;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: Partial<ReflectorOptions> = {}, prepare: (cluster: FakeCluster) => void = () => undefined) {
    prepare(this.cluster);
    this.reflector = new Reflector({
      client: this.cluster,
      resource: things,
      clock: this.clock,
      random: constantRandom(0.5),
      logger: silentLogger,
      onChange: (change) => this.#record(change),
      onConnection: () => this.connections.push(this.reflector.status.connected),
      ...options,
    });
    this.#running = this.reflector.run(this.#stop.signal);
  }

  verbs(): string[] {
    return this.cluster.calls.map((call) => call.verb);
  }

  names(): string[] {
    return this.reflector.store
      .list()
      .map((object) => object.metadata.name)
      .sort();
  }

  restarts(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.reflector.status.restarts).filter(([, count]) => count > 0));
  }

  async synced(): Promise<this> {
    await this.clock.until('the reflector has synced and watches', () => this.cluster.openWatches === 1);
    assert.equal(this.reflector.status.hasSynced, true);
    return this;
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('stopped by the test'));
    await this.#running;
    await settle();
    assert.equal(this.clock.pendingTimers, 0, 'no timer is left behind');
    assert.equal(this.cluster.openWatches, 0, 'no watch is left behind');
  }

  #record(change: Change): void {
    this.changes.push(`${change.type} ${change.key}`);
    const known = this.replica.get(change.key);
    if (change.type === 'added') assert.equal(known, undefined, `${change.key} is added twice`);
    else assert.ok(known, `${change.key} is ${change.type} without having been added`);
    if (change.type === 'updated') assert.equal(known?.metadata.uid, change.object.metadata.uid);
    if (change.type === 'deleted') this.replica.delete(change.key);
    else this.replica.set(change.key, change.object);
  }
}

export function failure(code: KubeErrorCode, details: { status?: number; retryAfterMs?: number } = {}): KubeError {
  return new KubeError(code, `test: ${code}`, details);
}
