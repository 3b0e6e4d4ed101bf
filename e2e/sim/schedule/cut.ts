import type { Passage } from '../world/network.ts';
import type { World } from '../world/world.ts';

/** Does something after so many milliseconds; until then the world counts as troubled. */
export type Later = (milliseconds: number, work: () => void) => void;

/** All controllers stand at one place, those that are started later, too. */
const controllers = Array.from({ length: 40 }, (_, index) => `controller-${index + 1}`);

/** A watch whose connection is dead is found out after two and a half minutes of silence. Milliseconds. */
export const deafMs = 200_000;

/** Opens or closes one direction between two places; `controller` stands for all controllers. */
export function setPassage(world: World, from: string, to: string, passage: Passage): void {
  const at = (place: string): string[] => (place === 'controller' ? controllers : [place]);
  for (const one of at(from)) for (const other of at(to)) world.network.set(one, other, passage);
  if (passage === 'open' && [from, to].includes('controller')) world.trouble(deafMs);
}

/** No controller reaches the cluster, nor hears of it, for so long. */
export function cutOff(world: World, cluster: string, forMs: number, later: Later): void {
  const setBoth = (passage: Passage): void => {
    setPassage(world, 'controller', cluster, passage);
    setPassage(world, cluster, 'controller', passage);
  };
  setBoth('dropped');
  later(forMs, () => setBoth('open'));
}

/** All its pods are gone at once, and for so long nobody reaches the cluster, nor it anybody. */
export function loseRegion(world: World, region: string, forMs: number, later: Later): void {
  const others = ['controller', ...[...world.clusters.keys()].filter((name) => name !== region)];
  const setAll = (passage: Passage): void => {
    for (const other of others) {
      setPassage(world, region, other, passage);
      setPassage(world, other, region, passage);
    }
  };
  setAll('dropped');
  world.region(region).killAllPods();
  later(forMs, () => setAll('open'));
}
