import type { Mutant } from './mutant.ts';

/** Mistakes in how nodes are told to clean up and the like. */
export const operationMutants: readonly Mutant[] = [
  {
    name: 'who is through is not noted',
    breaks: 'no hot loops',
    history: 'every node cleans up while its controller dies',
    file: 'federation/pod-operations.ts',
    find: '    done: isComplete ? [] : done.filter((pod) => pods.includes(pod)),',
    replace: '    done: [],',
  },
  {
    name: 'a node that is through is told again',
    breaks: 'nodes are told once',
    history: 'every node cleans up while its controller dies',
    file: 'federation/operation-records.ts',
    find: "  return name === job.name && phase === 'done' ? 'done' : 'failed';",
    replace: "  return 'failed';",
  },
  {
    name: 'a member is changed before it is noted who is through',
    breaks: 'nodes are told once',
    history: 'a region grows while its controller is away and a node gets through',
    file: 'federation/operation-records.ts',
    find: "record.running.filter((each) => outcomeOf(operator, picture, { name, token }, each) === 'done');",
    replace: "record.running.filter(() => token === '');",
  },
  {
    name: 'all regions clean up at once',
    breaks: 'one node at a time is told',
    history: 'every node cleans up while its controller dies',
    file: 'federation/pod-operations.ts',
    find: '  return picture ? { intents: advance(context, picture, job), isUnderWay: true } : nothing;',
    replace: `  const intents = pictures.flatMap((each) => advance(context, each, job));
  return picture ? { intents, isUnderWay: true } : nothing;`,
  },
];
