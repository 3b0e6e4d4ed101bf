import type { Random } from '../../../src/edges/random.ts';
import type { ApiObject, WatchEvent } from '../../harness/api-server.ts';
import { JolokiaError, storageService, type AskNode } from '../../casskop/jolokia.ts';
import type { Api } from '../../casskop/objects.ts';
import { paces } from '../../casskop/pace.ts';
import { run } from '../../casskop/run.ts';
import { JavaError } from '../../light-node/jolokia.ts';
import { CasskopApi } from '../api/casskop-api.ts';
import type { MemoryApiServer } from '../api/server.ts';
import type { ActorClock } from './actor-clock.ts';
import { CasskopClock } from './casskop-clock.ts';
import type { CassandraNetwork } from './cassandra/network.ts';
import { execute, readAttribute } from './cassandra/storage-service.ts';
import { kinds } from './cluster-access.ts';
import { draw, type RegionTiming } from './timing.ts';

export interface CasskopOptions {
  readonly region: string;
  readonly namespace: string;
  readonly server: MemoryApiServer;
  readonly network: CassandraNetwork;
  readonly clock: ActorClock;
  readonly random: Random;
  readonly timing: RegionTiming;
  readonly log: (message: string, error?: unknown) => void;
}

/** Who CassKop is to the API server. */
export const casskopUser = 'casskop';

/** One process of the CassKop stand-in, at CassKop's own pace. Once it is killed, nothing it was doing goes on. */
export class CasskopProcess {
  readonly #options: CasskopOptions;
  readonly #clock: CasskopClock;
  readonly #watches = new AbortController();
  readonly #detach: (() => void)[];
  /** Operations under way in nodes, and how many have come to their end. */
  #underWay = 0;
  #ended = 0;

  constructor(options: CasskopOptions) {
    const { server, network, namespace, random, log } = options;
    this.#options = options;
    this.#clock = new CasskopClock(options.clock, {
      version: () => server.resourceVersion + network.revision + this.#ended,
      isUnsettled: () => this.#underWay > 0 || this.#hasPodOperation(),
    });
    const changed = (): void => this.#clock.inputsChanged();
    this.#detach = [server.onChange(changed), network.onChange(changed)];
    const operation = run(
      {
        api: this.#api(),
        namespace,
        pace: paces.true,
        ask: this.#ask,
        clock: this.#clock,
        random,
        operatorName: 'casskop',
        log,
      },
      new AbortController().signal,
    );
    operation.catch((error: unknown) => log('CassKop ended', error));
  }

  kill(): void {
    this.#clock.kill();
    for (const detach of this.#detach) detach();
    this.#watches.abort(new Error('CassKop was killed'));
  }

  /** The API server as the process has it: reading takes no time, changing an object takes some. */
  #api(): Api {
    const { clock, random, timing } = this.#options;
    const server: Pick<MemoryApiServer, 'handle' | 'watch'> = {
      handle: (request) => {
        this.#clock.passGoesOn();
        if (this.#clock.isDead) return { status: 503, body: 'CassKop was killed' };
        return this.#options.server.handle(request);
      },
      watch: (request, sink) =>
        this.#options.server.watch(request, {
          event: (event) => {
            clock.wakePromises?.();
            sink.event(event);
          },
          end: () => {
            clock.wakePromises?.();
            sink.end();
          },
        }),
    };
    const later = (): Promise<void> =>
      new Promise((resolve) => void this.#clock.timer(draw(random, timing.casskopWriteMs), resolve));
    const atOnce = new CasskopApi({ server, user: casskopUser });
    const afterAWhile = new CasskopApi({ server, user: casskopUser, delay: later });
    return {
      get: (path, signal) => this.#whileAlive(atOnce.get(path, signal)),
      find: (path, signal) => this.#whileAlive(atOnce.find(path, signal)),
      list: (path, signal) => this.#whileAlive(atOnce.list(path, signal)),
      post: (path, body, signal) => this.#whileAlive(atOnce.post(path, body, signal)),
      put: (path, body, signal) => this.#whileAlive(afterAWhile.put(path, body, signal)),
      delete: (path, options, signal) => this.#whileAlive(afterAWhile.delete(path, options, signal)),
      watch: (path, resourceVersion) => this.#watch(atOnce, path, resourceVersion),
    };
  }

  async *#watch<T = ApiObject>(api: CasskopApi, path: string, version: string): AsyncGenerator<WatchEvent<T>> {
    const events = api.watch<T>(path, version, this.#watches.signal);
    for (;;) {
      const next = await this.#whileAlive(events.next());
      if (next.done) return;
      yield next.value;
    }
  }

  #whileAlive<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      work.then(
        (value) => {
          if (!this.#clock.isDead) resolve(value);
        },
        (error: unknown) => {
          if (!this.#clock.isDead) reject(error);
        },
      );
    });
  }

  readonly #ask: AskNode = (host, body) => {
    this.#clock.passGoesOn();
    return new Promise((resolve, reject) => {
      if (!this.#clock.isDead)
        this.#question(host, body, resolve, (why) => reject(new JolokiaError(`${host}: ${why}`)));
    });
  };

  #question(
    host: string,
    body: Record<string, unknown>,
    resolve: (value: unknown) => void,
    reject: (why: string) => void,
  ): void {
    const { network, region, clock } = this.#options;
    const node = network.reaches(region, host);
    if (!node || node.jolokia === 'closed') {
      reject('no answer');
      return;
    }
    try {
      if (body['type'] !== 'EXEC') {
        resolve(readAttribute(node, storageService, String(body['attribute'])));
        return;
      }
      const outcome = execute({ network, clock, node }, String(body['operation']), body['arguments'] as unknown[]);
      if ('value' in outcome) {
        resolve(outcome.value);
        return;
      }
      this.#underWay++;
      outcome.wait((error) => {
        this.#underWay--;
        this.#ended++;
        if (this.#clock.isDead) return;
        this.#clock.inputsChanged();
        clock.wakePromises?.();
        if (error) reject(`${error.type} : ${error.message}`);
        else resolve(null);
      });
    } catch (error) {
      if (!(error instanceof JavaError)) throw error;
      reject(`${error.type} : ${error.message}`);
    }
  }

  /** CassKop draws which kind of pod operation it looks for, so a pass that found none says nothing of the next. */
  #hasPodOperation(): boolean {
    const { server, namespace } = this.#options;
    for (const { metadata } of server.all(kinds.pods, namespace)) {
      const status = metadata.labels?.['operation-status'];
      if (status === 'ToDo' || status === 'Ongoing') return true;
    }
    return false;
  }
}
