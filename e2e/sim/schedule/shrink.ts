import type { History, Shape, Step } from './history.ts';
import { simulate } from './simulate.ts';

/**
 * A smaller history that breaks the same invariant: steps taken out one by one, regions, racks and nodes too, for as
 * long as it still does.
 */
export async function shrink(history: History): Promise<History> {
  const { violation } = await simulate(history);
  if (!violation) return history;
  let smallest = history;
  for (let isSmaller = true; isSmaller;) {
    isSmaller = false;
    for (const candidate of smallerThan(smallest)) {
      const outcome = await simulate(candidate);
      if (outcome.violation?.invariant !== violation.invariant) continue;
      smallest = candidate;
      isSmaller = true;
      break;
    }
  }
  return smallest;
}

function* smallerThan(history: History): Generator<History> {
  const { steps, shape } = history;
  for (let index = 0; index < steps.length; index++) {
    yield { ...history, steps: steps.filter((_, each) => each !== index) };
  }
  for (const smaller of smallerShapes(shape)) {
    const names = new Set([...smaller.regions.map(({ name }) => name), smaller.hub]);
    const gone = shape.regions.map(({ name }) => name).filter((name) => !names.has(name));
    const isLeft = (step: Step): boolean => !gone.some((name) => JSON.stringify(step).includes(`"${name}"`));
    yield { ...history, shape: smaller, steps: steps.filter(isLeft) };
  }
}

function* smallerShapes(shape: Shape): Generator<Shape> {
  const { regions } = shape;
  const last = regions.at(-1);
  if (regions.length > 2 && last?.name !== shape.hub) yield { ...shape, regions: regions.slice(0, -1) };
  for (const [index, region] of regions.entries()) {
    const replaced = (changes: Partial<Shape['regions'][0]>): Shape => ({
      ...shape,
      regions: regions.map((each, at) => (at === index ? { ...each, ...changes } : each)),
    });
    if (region.racks > 1) yield replaced({ racks: 1 });
    if (region.nodesPerRacks > 1) yield replaced({ nodesPerRacks: 1 });
  }
  if (shape.latencyMs.most > 5) yield { ...shape, latencyMs: { least: 1, most: 5 } };
}
