/** What a check came to. `unseen`: nobody can tell from here, which is neither good nor bad. */
export type Level = 'ok' | 'warning' | 'failure' | 'unseen';

/** One line of `ringmaster doctor`; its shape in JSON is stable, see docs/reference/cli.md. */
export interface Finding {
  /** What was looked at: `hub eu`, `cluster us`, `cassandra/orders`, `cassandra/orders, region us`. */
  readonly subject: string;
  /** Which check, in one word. */
  readonly check: Check;
  readonly level: Level;
  /** A sentence for people. */
  readonly message: string;
  /** What to type, or else to do. */
  readonly todo?: string;
}

export type Check =
  | 'server'
  | 'clock'
  | 'registration'
  | 'crd'
  | 'rights'
  | 'leader'
  | 'status'
  | 'reachable'
  | 'namespace'
  | 'serviceaccount'
  | 'operator'
  | 'seeds'
  | 'member'
  | 'writers'
  | 'volumes'
  | 'nodes'
  | 'ring';

/** Writes findings about one subject. */
export type Tell = (check: Check, level: Level, message: string, todo?: string) => Finding;

/** Findings about `subject`. */
export function tellOf(subject: string): Tell {
  return (check, level, message, todo) => ({ subject, check, level, message, ...(todo !== undefined && { todo }) });
}

/** How many there are of each level. */
export function countsOf(findings: readonly Finding[]): Record<Level, number> {
  const counts: Record<Level, number> = { failure: 0, warning: 0, ok: 0, unseen: 0 };
  for (const { level } of findings) counts[level] += 1;
  return counts;
}
