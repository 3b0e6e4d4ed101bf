import type { Clock } from '../edges/clock.ts';
import { sleep, withDeadline } from '../edges/clock.ts';
import type { UnknownRegion } from '../federation/snapshot.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';

/** Milliseconds between two probes, and after a failed one. */
const probeEveryMs = 10_000;
const probeAgainMs = 3_000;
const answerDeadlineMs = 5_000;
/** A cluster is unreachable after this many probes in a row went unanswered: one lost packet is no outage. */
const failuresUntilUnreachable = 2;

/** Asks one cluster's API server, every few seconds, whether it is there. */
export class Reachability {
  readonly #context: string;
  readonly #client: Pick<KubeClient, 'getPath'>;
  readonly #clock: Clock;
  readonly #onChange: () => void;
  #failures = 0;
  #answered = false;
  #problem: UnknownRegion;

  constructor(context: string, client: Pick<KubeClient, 'getPath'>, clock: Clock, onChange: () => void) {
    this.#context = context;
    this.#client = client;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#problem = { known: false, reason: 'NotSynced', message: `context ${context} has not been asked yet` };
  }

  /** True, or why nothing can be said of the cluster. */
  get state(): true | UnknownRegion {
    return this.#answered && this.#failures < failuresUntilUnreachable ? true : this.#problem;
  }

  /** Runs until `signal` aborts, then resolves. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const before = this.state;
      await this.#probe(signal);
      if (signal.aborted) return;
      if ((before === true) !== (this.state === true)) this.#onChange();
      await sleep(this.#clock, this.#failures > 0 ? probeAgainMs : probeEveryMs, signal).catch(() => undefined);
    }
  }

  async #probe(signal: AbortSignal): Promise<void> {
    using deadline = withDeadline(this.#clock, answerDeadlineMs, signal);
    try {
      const { status, body } = await this.#client.getPath('/readyz', deadline.signal);
      if (status === 200) {
        this.#failures = 0;
        this.#answered = true;
        return;
      }
      this.#fail(status === 401 || status === 403, `its API server answers ${status} ${body.slice(0, 200)}`);
    } catch (error) {
      const unauthorized = isKubeError(error, 'Unauthorized', 'Forbidden');
      this.#fail(unauthorized, error instanceof Error ? error.message : String(error));
    }
  }

  #fail(unauthorized: boolean, why: string): void {
    this.#failures += 1;
    const reason = unauthorized ? 'Unauthorized' : 'Unreachable';
    this.#problem = { known: false, reason, message: `context ${this.#context}: ${why}` };
  }
}
