import type { Mutant } from './mutant.ts';

/** At least one for each invariant. Each is a mistake that somebody could make. */
export const mutants: readonly Mutant[] = [
  {
    name: 'a region that cannot be seen is taken for empty when the ring is founded',
    breaks: 'one ring is founded',
    file: 'federation/gates.ts',
    find: '  if (unknown.length === 0) return undefined;\n  const names',
    replace: '  if (unknown.length >= 0) return undefined;\n  const names',
  },
];
