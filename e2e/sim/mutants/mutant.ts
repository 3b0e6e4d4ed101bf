import type { directed } from '../schedule/directed.ts';

/** A fault put into the controller on purpose, as a change of its source while it is loaded. */
export interface Mutant {
  /** What somebody got wrong, as a sentence. */
  readonly name: string;
  /** The invariant that reports it. */
  readonly breaks: string;
  /** A history of schedule/directed.ts that brings it to light, where random ones would have to be too many. */
  readonly history?: keyof typeof directed;
  /** Below src/. */
  readonly file: string;
  /** Must stand in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** The mutant is not one of this source any more: the text it changes is not there, or more than once. */
export class StaleMutantError extends Error {
  override readonly name = 'StaleMutantError';
  readonly code = 'StaleMutant';

  constructor(mutant: Mutant, times: number) {
    super(
      `mutant "${mutant.name}": src/${mutant.file} holds ${times} times what it changes, expected once: ${mutant.find}`,
    );
  }
}

/** @throws StaleMutantError */
export function mutated(source: string, mutant: Mutant): string {
  const parts = source.split(mutant.find);
  if (parts.length !== 2) throw new StaleMutantError(mutant, parts.length - 1);
  return parts.join(mutant.replace);
}
