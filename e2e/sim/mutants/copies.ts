import type { Mutant } from './mutant.ts';

/** Mistakes in how what members name gets to the regions. */
export const copyMutants: readonly Mutant[] = [
  {
    name: 'a copy is written over whatever is there',
    breaks: 'only the latest writer writes',
    history: "somebody else's Secret of the same name",
    file: 'federation/copies.ts',
    find: '  if (there && !isCopy) {',
    replace: '  if (there && !isCopy && isSame) {',
  },
  {
    name: 'a member is created along with what it names',
    breaks: 'what members name is there',
    history: "somebody else's Secret of the same name",
    file: 'federation/grow.ts',
    find: '    return { intents: copies.length > 0 ? copies : [createMember(context, picture)], obstacles, busy: true };',
    replace: '    return { intents: [createMember(context, picture), ...copies], obstacles, busy: true };',
  },
  {
    name: 'a copy goes as soon as the spec does not name it',
    breaks: 'what members name is there',
    history: 'a Secret is named, edited and named no more',
    file: 'federation/copies.ts',
    find: '  const kept = namedBy(context, picture);\n  for',
    replace: '  const kept = new Set<string>();\n  for',
  },
  {
    name: 'what is there is taken for what the hub holds',
    breaks: 'copies are what the hub holds',
    history: "somebody else's Secret of the same name",
    file: 'federation/copies.ts',
    find: '  if (isSource || (isSame && !isCopy))',
    replace: '  if (there)',
  },
  {
    name: 'a copy that nothing names stays',
    breaks: 'copies are what the hub holds',
    history: 'a Secret is named, edited and named no more',
    file: 'federation/plan.ts',
    find: '    const unneeded = copies.length > 0 ? [] : pruneIntents(context, picture);',
    replace: '    const unneeded = copies.length > 0 ? pruneIntents(context, picture) : [];',
  },
];
