import { type Clock, sleep, type Timer, withDeadline } from '../edges/clock.ts';
import { isDeepStrictEqual } from 'node:util';
import type { Random } from '../edges/random.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import { type LeaseRecord, newLease, readLease, transitionsMax, withRecord } from '../kube/lease.ts';
import { type KubeObject, resources } from '../kube/objects.ts';
import { collectionPath, objectPath } from '../kube/paths.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type Leadership, notLeader, type Term } from './leadership.ts';

export interface LeaderElectionOptions {
  /** The hub's client at that moment; what it asks of the Lease passes the fence that this is. */
  client: () => Pick<KubeClient, 'get' | 'create' | 'replace'>;
  clock: Clock;
  random: Random;
  logger: Logger;
  metrics: Pick<Metrics, 'leader' | 'leaderSlowPath'>;
  /** Where the Lease is. */
  namespace: string;
  name: string;
  /** Must differ between any two processes that ever run. */
  identity: string;
}

/** How long others leave the Lease to whoever has renewed it last, milliseconds. */
export const leaseDurationMs = 15_000;
/** How long after the beginning of its last successful renewal a leader may write, milliseconds. */
export const renewDeadlineMs = 10_000;
/** Between two renewals, and, on average, two looks at a Lease that somebody else holds, milliseconds. */
const retryMs = 2_000;
/** A look at the Lease is given up after this time, so that there is time for another one before the deadline. Milliseconds. */
const attemptMs = 5_000;
const releaseMs = 2_000;
/** After resigning, milliseconds; doubles each time, until a term has lasted for `restMaxMs`. */
const restFirstMs = 5_000;
const restMaxMs = 60_000;

interface OwnTerm extends Term {
  readonly end: AbortController;
  readonly beganAt: number;
  /** Nothing is sent from then on, by whichever clock says so first: one stands still while a machine is suspended, the other may be set. */
  deadline: { monotonic: number; wall: number };
  timer: Timer;
}

/** The Lease as it was last seen, and when it was first seen so: monotonic milliseconds of our own clock. */
interface Seen {
  readonly object: KubeObject;
  readonly record: LeaseRecord;
  readonly at: number;
}

/**
 * Leader election on a Lease, by the rules of client-go, so that its leaders and ours could share one: the age of a Lease is the time since we saw it
 * change, whatever its times say. Losing it ends the term and nothing else; the process goes on as a standby.
 */
export class LeaderElection implements Leadership {
  readonly #options: LeaderElectionOptions;
  readonly #listeners: (() => void)[] = [];
  #term: OwnTerm | undefined;
  #seen: Seen | undefined;
  /** The highest number of a leader met in stamps and Leases; whoever leads next must be above it, or nobody's writes count any more. */
  #highest = -1;
  #wake = new AbortController();
  readonly #rest: { ms: number; untilMs: number } = { ms: 0, untilMs: -Infinity };
  #hasToRelease = false;
  /** An attempt was given up half-way: the Lease may be ours, and we do not know it. */
  #isUnsure = false;
  #lastSaid = '';

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    options.metrics.leader(options.name, () => this.term !== undefined);
  }

  get term(): Term | undefined {
    const { clock } = this.#options;
    const term = this.#term;
    if (term && (clock.monotonic() >= term.deadline.monotonic || clock.now() >= term.deadline.wall)) {
      this.#end(`the Lease was not renewed within ${renewDeadlineMs / 1000} s`);
    }
    return this.#term;
  }

  get leader(): string | undefined {
    if (this.term) return this.#options.identity;
    return this.#isHeldByAnother(this.#seen) ? this.#seen?.record.holder : undefined;
  }

  permit(): AbortSignal {
    const { term } = this;
    if (!term) throw notLeader('this process does not lead', false);
    return term.signal;
  }

  exempts(path: string): boolean {
    const { namespace, name } = this.#options;
    const [beforeQuery] = path.split('?');
    return (
      beforeQuery === objectPath(resources.leases, { namespace, name }) ||
      beforeQuery === collectionPath(resources.leases, namespace)
    );
  }

  met(transitions: number, where: string): void {
    this.#highest = Math.max(this.#highest, transitions);
    const { term } = this;
    if (term && transitions > term.transitions) {
      this.#resign(
        `${where} carries the stamp of leader number ${transitions}, and this is number ${term.transitions} only`,
      );
    }
  }

  onTerm(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    const onAbort = (): void => this.#wake.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const restMs = this.#rest.untilMs - clock.monotonic();
      if (this.#hasToRelease) await this.#release();
      else if (restMs <= 0) await this.#attempt(this.#wake.signal);
      if (signal.aborted) break;
      const waitMs = restMs > 0 ? restMs : this.#term ? retryMs : retryMs * (0.5 + random.next());
      await sleep(clock, waitMs, this.#wake.signal).catch(() => undefined);
    }
    signal.removeEventListener('abort', onAbort);
    if (this.#term || this.#isUnsure) this.#hasToRelease = true;
    this.#end('this process stops');
    if (this.#hasToRelease) await this.#release();
  }

  /** One attempt to win or renew the Lease. Never throws. */
  async #attempt(signal: AbortSignal): Promise<void> {
    const { clock, logger, name } = this.#options;
    const begun = { monotonic: clock.monotonic(), wall: clock.now() };
    const leftMs = this.term && this.#term ? this.#term.deadline.monotonic - begun.monotonic : attemptMs;
    using deadline = withDeadline(clock, Math.min(attemptMs, leftMs), signal);
    try {
      if (await this.#tryToHold(deadline.signal)) this.#hold(begun);
      this.#isUnsure = false;
    } catch (error) {
      this.#isUnsure = true;
      if (signal.aborted || isKubeError(error, 'Conflict', 'AlreadyExists')) return;
      logger.warn('the Lease cannot be looked at', { lease: name, leads: this.#term !== undefined, error });
    }
  }

  /** Whether the Lease is ours now. @throws KubeError */
  async #tryToHold(signal: AbortSignal): Promise<boolean> {
    const { client, metrics, namespace, name, identity } = this.#options;
    if (this.#term && this.#seen?.record.holder === identity) {
      try {
        await this.#write(this.#seen, signal);
        return true;
      } catch (error) {
        if (!isKubeError(error, 'Conflict', 'NotFound')) throw error;
        // Somebody else has changed it; what it says now decides.
      }
    }
    metrics.leaderSlowPath(name);
    const there = await client()
      .get(resources.leases, { namespace, name }, signal)
      .catch((error: unknown) => {
        if (isKubeError(error, 'NotFound')) return undefined;
        throw error;
      });
    if (!there) {
      // Whoever led when it was deleted is the first to make it anew.
      if (this.#isHeldByAnother(this.#seen)) return false;
      this.#see(
        await client().create(resources.leases, newLease({ namespace, name }, this.#record(undefined)), signal),
      );
      return true;
    }
    const seen = this.#see(there);
    if (this.#isHeldByAnother(seen)) {
      const { holder } = seen.record;
      this.#end(`${holder} holds the Lease`);
      this.#say(`stands by while ${holder} leads`);
      return false;
    }
    await this.#write(seen, signal);
    return true;
  }

  #isHeldByAnother(seen: Seen | undefined): boolean {
    const { clock, identity } = this.#options;
    if (!seen || seen.record.holder === '' || seen.record.holder === identity) return false;
    return clock.monotonic() < seen.at + seen.record.durationMs;
  }

  async #write({ object, record }: Seen, signal: AbortSignal): Promise<void> {
    const { client } = this.#options;
    this.#see(await client().replace(resources.leases, withRecord(object, this.#record(record)), signal));
  }

  /** What the Lease is to say when we hold it. */
  #record(before: LeaseRecord | undefined): LeaseRecord {
    const { clock, identity } = this.#options;
    const isOurs = before?.holder === identity;
    const isBelow = before !== undefined && before.transitions < this.#highest;
    const now = clock.now();
    return {
      holder: identity,
      durationMs: leaseDurationMs,
      acquiredAt: isOurs ? before.acquiredAt : now,
      renewedAt: now,
      transitions: isOurs && !isBelow ? before.transitions : Math.min(transitionsMax, this.#highest + 1),
    };
  }

  /** The age of what we see begins when we first see it, for clocks of others may be wrong. */
  #see(object: KubeObject): Seen {
    const record = readLease(object);
    const before = this.#seen;
    const at = before && isDeepStrictEqual(before.record, record) ? before.at : this.#options.clock.monotonic();
    this.#highest = Math.max(this.#highest, record.transitions);
    return (this.#seen = { object, record, at });
  }

  /** The Lease is ours, by a request that was begun then. */
  #hold(begun: { monotonic: number; wall: number }): void {
    const { clock, logger, name, identity } = this.#options;
    const deadline = { monotonic: begun.monotonic + renewDeadlineMs, wall: begun.wall + renewDeadlineMs };
    // Ends a term that ran out while the answer was on its way: what was cut off does not begin again.
    const { term } = this;
    // A timer may fire a little early.
    const leftMs = Math.max(0, Math.ceil(deadline.monotonic - clock.monotonic()) + 1);
    const timer = clock.timer(leftMs, () => void this.term);
    const transitions = this.#seen?.record.transitions ?? 0;
    if (term && this.#term && transitions === term.transitions) {
      this.#term.timer.cancel();
      Object.assign(this.#term, { deadline, timer });
      return;
    }
    this.#end('the Lease was won anew');
    const end = new AbortController();
    this.#term = { transitions, signal: end.signal, end, beganAt: clock.monotonic(), deadline, timer };
    if (!this.term) return;
    this.#lastSaid = '';
    logger.info('leads', { lease: name, identity, transitions });
    for (const listener of this.#listeners) listener();
  }

  /** Ends the term if there is one: what is under way is cut off, and nothing more is sent. */
  #end(why: string): void {
    const { clock, logger, name } = this.#options;
    const term = this.#term;
    if (!term) return;
    this.#term = undefined;
    term.timer.cancel();
    if (clock.monotonic() - term.beganAt > restMaxMs) this.#rest.ms = 0;
    term.end.abort(notLeader(`this process leads no longer: ${why}`, true));
    logger.warn('leads no longer', { lease: name, transitions: term.transitions, why });
  }

  /** Leaves the Lease to others for a while. */
  #resign(why: string): void {
    this.#end(why);
    this.#rest.ms = Math.min(restMaxMs, Math.max(restFirstMs, this.#rest.ms * 2));
    this.#rest.untilMs = this.#options.clock.monotonic() + this.#rest.ms * (1 + this.#options.random.next() / 2);
    this.#hasToRelease = true;
    this.#wake.abort();
  }

  /** Gives the Lease back, so that nobody has to wait for its end. Never throws. */
  async #release(): Promise<void> {
    const { client, clock, logger, namespace, name, identity } = this.#options;
    this.#hasToRelease = false;
    using deadline = withDeadline(clock, releaseMs, new AbortController().signal);
    try {
      const get = async (): Promise<Seen> =>
        this.#see(await client().get(resources.leases, { namespace, name }, deadline.signal));
      for (let seen = this.#isUnsure ? await get() : this.#seen; seen?.record.holder === identity;) {
        const now = clock.now();
        const released = { ...seen.record, holder: '', durationMs: 1000, acquiredAt: now, renewedAt: now };
        try {
          this.#see(await client().replace(resources.leases, withRecord(seen.object, released), deadline.signal));
          logger.info('the Lease is given back', { lease: name });
          return;
        } catch (error) {
          // A renewal of ours may have arrived whose answer we did not wait for.
          if (!isKubeError(error, 'Conflict')) throw error;
          seen = await get();
        }
      }
    } catch (error) {
      if (!isKubeError(error, 'NotFound')) logger.warn('the Lease cannot be given back', { lease: name, error });
    }
  }

  /** Says it once, not at every look. */
  #say(message: string): void {
    if (message === this.#lastSaid) return;
    this.#lastSaid = message;
    this.#options.logger.info(message, { lease: this.#options.name });
  }
}
