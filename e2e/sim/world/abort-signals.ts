type Listener = () => void;

/**
 * An AbortSignal as far as the controller uses one: `aborted`, `reason`, listeners of `abort`, `AbortSignal.any`. Those
 * of Node.js cost a fifth of a simulated request, and one that is composed of others, once somebody listens to it, is
 * kept for ever, with the whole world behind its listener, unless it aborts; a killed controller aborts nothing.
 */
export class SimulatedAbortSignal {
  readonly #listeners = new Set<Listener>();
  readonly #sources: readonly SimulatedAbortSignal[];
  /** Signals composed of this one that somebody listens to. */
  readonly #dependents = new Set<SimulatedAbortSignal>();
  #isAborted = false;
  #reason: unknown;

  constructor(sources: readonly SimulatedAbortSignal[] = []) {
    this.#sources = sources;
  }

  static any(sources: readonly SimulatedAbortSignal[]): SimulatedAbortSignal {
    return new SimulatedAbortSignal(sources);
  }

  get aborted(): boolean {
    return this.#isAborted || this.#sources.some((source) => source.aborted);
  }

  get reason(): unknown {
    if (!this.#isAborted) return this.#sources.find((source) => source.aborted)?.reason;
    return (this.#reason ??= new DOMException('This operation was aborted', 'AbortError'));
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  /** An abort comes once, so that is all any listener hears. */
  addEventListener(_type: 'abort', listener: Listener): void {
    if (this.aborted) return;
    if (this.#listeners.size === 0) this.#follow((source) => source.#dependents.add(this));
    this.#listeners.add(listener);
  }

  removeEventListener(_type: 'abort', listener: Listener): void {
    if (this.#listeners.delete(listener) && this.#listeners.size === 0) {
      this.#follow((source) => source.#dependents.delete(this));
    }
  }

  /** For its controller. */
  abort(reason: unknown): void {
    if (this.aborted) return;
    this.#isAborted = true;
    this.#reason = reason;
    this.#tell();
    for (const dependent of this.#dependents) dependent.#tell();
    this.#dependents.clear();
  }

  #tell(): void {
    for (const listener of this.#listeners) {
      this.#listeners.delete(listener);
      listener();
    }
  }

  /** Those it is composed of, and those they are composed of, that abort by themselves. */
  #follow(visit: (source: SimulatedAbortSignal) => void): void {
    for (const source of this.#sources) {
      if (source.#sources.length > 0) source.#follow(visit);
      else visit(source);
    }
  }
}

export class SimulatedAbortController {
  readonly signal = new SimulatedAbortSignal();

  abort(reason?: unknown): void {
    this.signal.abort(reason);
  }
}

/** Lets all controllers of this process use them. */
export function installAbortSignals(): void {
  Object.assign(globalThis, { AbortController: SimulatedAbortController, AbortSignal: SimulatedAbortSignal });
}
