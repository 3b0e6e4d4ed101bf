import type { Mutant } from './mutant.ts';

/** Mistakes in what Ringmaster alters itself. */
export const keyspaceMutants: readonly Mutant[] = [
  {
    name: "a datacenter is taken out of a user's keyspace without asking the user",
    breaks: 'alterations keep rows',
    history: 'a region leaves keyspaces that may be altered',
    file: 'ring/keyspaces.ts',
    find: '(isSystems && !withNodes.has(name) && !after.has(name))',
    replace: '!after.has(name)',
  },
  {
    name: "a user's keyspace gets another strategy without asking the user",
    breaks: 'alterations keep rows',
    history: 'keyspaces are altered for a region that joins',
    file: 'ring/keyspaces.ts',
    find: 'return isSystems && [...withNodes]',
    replace: 'return [...withNodes]',
  },
  {
    name: 'keyspaces are altered by whoever has begun to',
    breaks: 'only the leader writes',
    history: 'a controller stands still as it alters keyspaces',
    file: 'federation/run-cql.ts',
    find: '  access.permit();\n  const isAgreed',
    replace: '  const isAgreed',
  },
];
