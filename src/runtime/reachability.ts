import { type Clock, sleep, withDeadline } from '../edges/clock.ts';
import type { UnknownRegion } from '../federation/snapshot.ts';
import type { KubeClient } from '../kube/client.ts';
import { type Answer, answerOf, explanations } from './reachable-answers.ts';

/** Milliseconds between two probes, and after a failed one. */
const probeEveryMs = 10_000;
const probeAgainMs = 3_000;
/** However often somebody asks for a probe, this long passes between two. Milliseconds. */
const probeLeastMs = 1_000;
const answerDeadlineMs = 5_000;
/** A cluster is unreachable after this many probes in a row went unanswered: one lost packet is no outage. */
const failuresUntilUnreachable = 2;
/** What is told of a cluster changes only after it has been so for this long: one that comes and goes is not up. Milliseconds. */
const steadyMs = 30_000;
/** So long after its start a cluster that has never answered is not called unreachable yet. Milliseconds. */
const firstAnswerMs = 60_000;

/** Asks one cluster's API server, every few seconds, whether it is there. */
export class Reachability {
  readonly #context: string;
  readonly #client: Pick<KubeClient, 'getPath'>;
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #onAnswer: () => void;
  readonly #startedAt: number;
  #failures = 0;
  #answered = false;
  #problem: UnknownRegion;
  /** Monotonic milliseconds since when it answers without a failure between, and wall-clock milliseconds since when not. */
  #answersSince = Number.NEGATIVE_INFINITY;
  #silentSince: number | undefined;
  #probedAt = Number.NEGATIVE_INFINITY;
  #lastSeen: number | undefined;
  #path = '/readyz';
  #lastTold = '';
  #wake = new AbortController();

  /** `onAnswer` is called for each probe that found it up. Neither may wait. */
  constructor(
    context: string,
    client: Pick<KubeClient, 'getPath'>,
    clock: Clock,
    onChange: () => void,
    onAnswer: () => void = () => undefined,
  ) {
    this.#context = context;
    this.#client = client;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#onAnswer = onAnswer;
    this.#startedAt = clock.monotonic();
    this.#problem = { known: false, reason: 'NotSynced', message: `context ${context} has not been asked yet` };
  }

  /** True, or why nothing can be said of the cluster. */
  get state(): true | UnknownRegion {
    if (this.#answered && this.#failures < failuresUntilUnreachable) return true;
    return this.#isFirstLook ? { ...this.#problem, isFirstLook: true } : this.#problem;
  }

  /** Whether it has answered for so long, without a failure, that it can be told. */
  get isSteady(): boolean {
    return this.state === true && this.#clock.monotonic() - this.#answersSince >= steadyMs;
  }

  /** Wall-clock milliseconds at which it last answered; undefined before the first time. */
  get lastSeen(): number | undefined {
    return this.#lastSeen;
  }

  /** Somebody else had no answer: asks soon. */
  nudge(): void {
    this.#wake.abort();
  }

  /** Runs until `signal` aborts, then resolves. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#wake = new AbortController();
      this.#probedAt = this.#clock.monotonic();
      await this.#probe(signal);
      if (signal.aborted) return;
      const told = this.#told();
      if (told !== this.#lastTold) this.#onChange();
      this.#lastTold = told;
      await this.#pause(signal);
    }
  }

  get #isFirstLook(): boolean {
    return !this.#answered && this.#clock.monotonic() - this.#startedAt < firstAnswerMs;
  }

  /** What somebody who looks may see change. */
  #told(): string {
    const { state } = this;
    return state === true ? `up ${this.isSteady}` : `down ${state.reason} ${state.answer} ${state.isFirstLook}`;
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const waitMs = this.#failures > 0 ? probeAgainMs : probeEveryMs;
    await sleep(this.#clock, waitMs, AbortSignal.any([signal, this.#wake.signal])).catch(() => undefined);
    const restMs = this.#probedAt + probeLeastMs - this.#clock.monotonic();
    if (restMs > 0) await sleep(this.#clock, restMs, signal).catch(() => undefined);
  }

  async #probe(signal: AbortSignal): Promise<void> {
    using deadline = withDeadline(this.#clock, answerDeadlineMs, signal);
    try {
      let { status, body } = await this.#client.getPath(this.#path, deadline.signal);
      if (status === 404 && this.#path === '/readyz') {
        // Servers before 1.16 have no /readyz.
        this.#path = '/healthz';
        ({ status, body } = await this.#client.getPath(this.#path, deadline.signal));
      }
      this.#lastSeen = this.#clock.now();
      if (status === 200) {
        if (this.#failures > 0) this.#answersSince = this.#clock.monotonic();
        this.#failures = 0;
        this.#answered = true;
        this.#silentSince = undefined;
        this.#onAnswer();
        return;
      }
      const answer = status === 401 ? 'Unauthorized' : status === 403 ? 'Forbidden' : 'NotReady';
      this.#fail(answer, `${status} ${body.slice(0, 200)}`);
    } catch (error) {
      if (!signal.aborted) this.#fail(answerOf(error), error instanceof Error ? error.message : String(error));
    }
  }

  #fail(answer: Answer, why: string): void {
    this.#failures += 1;
    this.#silentSince ??= this.#clock.now();
    const [happened, todo] = explanations[answer];
    const since = new Date(this.#silentSince).toISOString();
    this.#problem = {
      known: false,
      reason: answer === 'Unauthorized' || answer === 'Forbidden' ? 'Unauthorized' : 'Unreachable',
      answer,
      message:
        `context ${this.#context}: since ${since} its API server ${happened} (${why}). ` +
        `Nothing is written there, and no node joins the ring, until it can be seen again; ${todo}`,
    };
  }
}
