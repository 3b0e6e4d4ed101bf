/** Randomness as the controller sees it; injected, so that one seed replays a whole run. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
}

/** Good enough for jitter; nothing here is a secret. */
export const systemRandom: Random = { next: () => Math.random() };
