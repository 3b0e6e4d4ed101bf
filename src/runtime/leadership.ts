import type { Fence } from '../kube/fence.ts';
import { KubeError } from '../kube/errors.ts';

/** The time from winning the Lease to losing it. Two terms are never the same object. */
export interface Term {
  /** What this term's writes are stamped with; a later term of anybody has a higher number. */
  readonly transitions: number;
  /** Aborts when the term is over, with a KubeError `NotLeader`. */
  readonly signal: AbortSignal;
}

/** Whether this process is the one that writes. Everything else it does whether or not. */
export interface Leadership extends Fence {
  /** Undefined: a standby. */
  readonly term: Term | undefined;
  /** The name of whoever leads, as far as this process knows; undefined: nobody does, or there is no election. */
  readonly leader: string | undefined;
  /** Tells of a stamp found on an object: who meets one higher than his own is no longer the latest writer. */
  met(transitions: number, where: string): void;
  /** Called when a term begins. Must not wait. */
  onTerm(listener: () => void): void;
  /** Runs until `signal` aborts; then gives the Lease back and resolves. Whoever still writes then is cut off. */
  run(signal: AbortSignal): Promise<void>;
}

/** @param why what a person is told. */
export function notLeader(why: string, mayHaveActed: boolean): KubeError {
  return new KubeError('NotLeader', why, { mayHaveActed });
}

/** For a process that is the only one by agreement: it leads from its start to its end, and takes no Lease. */
export class LeadershipWithoutElection implements Leadership {
  readonly leader = undefined;
  readonly #end = new AbortController();
  #transitions = 0;
  #term: Term | undefined = { transitions: 0, signal: this.#end.signal };

  get term(): Term | undefined {
    return this.#term;
  }

  permit(): AbortSignal {
    if (!this.#term) throw notLeader('this process is stopping', false);
    return this.#end.signal;
  }

  /** Writes of earlier leaders are gone on from: by agreement none of them runs any more. */
  met(transitions: number): void {
    if (transitions <= this.#transitions || !this.#term) return;
    this.#transitions = transitions;
    this.#term = { transitions, signal: this.#end.signal };
  }

  exempts(): boolean {
    return false;
  }

  onTerm(): void {
    // There is one term, and it has begun.
  }

  async run(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.#term = undefined;
    this.#end.abort(notLeader('this process is stopping', true));
  }
}
