import type { Mutant } from './mutant.ts';

/** Mistakes in how a change of the spec goes through the regions. */
export const rolloutMutants: readonly Mutant[] = [
  {
    name: 'a region that is only observed is kept like any other',
    breaks: 'an observed region is let be',
    history: 'an edit beside a region that is only observed',
    file: 'federation/plan.ts',
    find: `    if (isObserved(picture)) {
      const due`,
    replace: `    if (isObserved(picture) && picture.recorded === undefined) {
      const due`,
  },
  {
    name: 'a region is changed while another one still is',
    breaks: 'one region at a time',
    file: 'federation/rollout.ts',
    find: '  if (changing) return wait(',
    replace: "  if (changing && kind === 'datacenter') return wait(",
  },
  {
    name: 'nodes leave along with whatever else is written',
    breaks: 'a scale-down is alone',
    file: 'federation/member-writes.ts',
    find: "    ({ kind }) => kind === options.kind || (kind === 'benign' && options.kind !== 'scale-down'),",
    replace: "    ({ kind }) => kind === options.kind || kind === 'scale-down' || kind === 'benign',",
  },
  {
    name: 'a correction waits until its region is whole and at rest',
    breaks: 'everything comes right',
    history: 'an image that cannot start, taken back',
    file: 'federation/rollout.ts',
    find: '  if (rest.length > 0 && (isNew || isRemainder)) {',
    replace: '  if (rest.length > 0 && (isNew || isRemainder) && unrest(context, picture) === undefined) {',
  },
  {
    name: 'a restart is ordered for as long as its token stands in the spec',
    breaks: 'everything comes right',
    file: 'federation/changes.ts',
    find: "  return to === '' || to === from ? [] :",
    replace: "  return to === '' ? [] :",
  },
];
