import { copyMutants } from './copies.ts';
import { keyspaceMutants } from './keyspaces.ts';
import { leavingMutants } from './leaving.ts';
import { memberMutants } from './members.ts';
import type { Mutant } from './mutant.ts';
import { operationMutants } from './operations.ts';
import { processMutants } from './processes.ts';
import { ringMutants } from './ring.ts';
import { rolloutMutants } from './rollouts.ts';
import { statusMutants } from './status.ts';

/** At least one for each invariant. Each is a mistake that somebody could make. */
export const mutants: readonly Mutant[] = [
  ...ringMutants,
  ...statusMutants,
  ...memberMutants,
  ...rolloutMutants,
  ...operationMutants,
  ...copyMutants,
  ...leavingMutants,
  ...keyspaceMutants,
  ...processMutants,
];

/** Invariants that no mutant can break before another one sees it; invariants/removed-hosts.test.ts breaks this one. */
export const provenByTests: ReadonlySet<string> = new Set(['removed hosts stay away']);
