import type { Random } from '../../../src/edges/random.ts';
import { casskop } from '../../../src/operators/casskop/casskop.ts';
import { JolokiaError, storageService, type AskNode } from '../../casskop/jolokia.ts';
import { paces } from '../../casskop/pace.ts';
import type { ClusterStatus } from '../../casskop/cluster.ts';
import { run } from '../../casskop/run.ts';
import { JavaError } from '../../light-node/jolokia.ts';
import type { MemoryApiServer } from '../api/server.ts';
import type { ActorClock } from './actor-clock.ts';
import { CasskopClock } from './casskop-clock.ts';
import { CasskopConnection } from './casskop-connection.ts';
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
        api: new CasskopConnection({
          server,
          user: casskopUser,
          beforeCall: () => this.#clock.passGoesOn(),
          beforeEvent: () => options.clock.wakePromises?.(),
          isDead: () => this.#clock.isDead,
          later: (work) => void this.#clock.timer(draw(random, options.timing.casskopWriteMs), work),
        }),
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
    options.clock.wakePromises?.();
    operation.catch((error: unknown) => log('CassKop ended', error));
  }

  kill(): void {
    this.#clock.kill();
    for (const detach of this.#detach) detach();
  }

  readonly #ask: AskNode = (host, body) => {
    if (this.#clock.isDead) return new Promise(() => undefined);
    this.#clock.passGoesOn();
    const { network, region, clock } = this.#options;
    const node = network.reaches(region, host);
    if (!node || node.jolokia === 'closed') return Promise.reject(jolokiaError(`${host}: no answer`));
    try {
      if (body['type'] !== 'EXEC') {
        const attribute = String(body['attribute']);
        // Asked for in every pass, and in Cassandra 5.0 never there.
        if (attribute === 'HostIdMap') return Promise.reject(jolokiaError(`${host}: no attribute ${attribute}`));
        return Promise.resolve(readAttribute(node, storageService, attribute));
      }
      const outcome = execute({ network, clock, node }, String(body['operation']), body['arguments'] as unknown[]);
      return 'value' in outcome ? Promise.resolve(outcome.value) : this.#await(outcome, host);
    } catch (error) {
      if (!(error instanceof JavaError)) throw error;
      return Promise.reject(jolokiaError(`${host}: ${error.type} : ${error.message}`));
    }
  };

  #await(outcome: { wait(done: (error: JavaError | undefined) => void): void }, host: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#underWay++;
      outcome.wait((error) => {
        this.#underWay--;
        this.#ended++;
        if (this.#clock.isDead) return;
        this.#clock.inputsChanged();
        this.#options.clock.wakePromises?.();
        if (error) reject(jolokiaError(`${host}: ${error.type} : ${error.message}`));
        else resolve(null);
      });
    });
  }

  /** CassKop draws which kind of pod operation it looks for, so a pass that found none says nothing of the next. */
  #hasPodOperation(): boolean {
    const { server, namespace } = this.#options;
    for (const { metadata } of server.all(kinds.pods, namespace)) {
      const status = metadata.labels?.['operation-status'];
      if (status === 'ToDo' || status === 'Ongoing') return true;
    }
    // That one is over is noted by a pass that draws it.
    return [...server.all(casskop.member, namespace)].some((member) => {
      const { cassandraRackStatus = {} } = (member['status'] ?? {}) as Partial<ClusterStatus>;
      return Object.values(cassandraRackStatus).some(
        ({ podLastOperation: last }) => last.status === 'Ongoing' && !last.pods?.length,
      );
    });
  }
}

const errors = new Map<string, JolokiaError>();
const errorLimit = 1000;

/** Of two with the same words one is enough: they are only logged. */
function jolokiaError(message: string): JolokiaError {
  let error = errors.get(message);
  if (!error) {
    if (errors.size >= errorLimit) errors.clear();
    errors.set(message, (error = new JolokiaError(message)));
  }
  return error;
}
