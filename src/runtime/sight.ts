import type { RegionSnapshot, Snapshot, UnknownReason } from '../federation/snapshot.ts';

/** A region that is unreachable, or does not show our own write, for so long is told of as unknown. Milliseconds. */
const patienceMs = 30_000;
/** Why a region may be out of sight that will be back in a moment. */
const passing: ReadonlySet<UnknownReason> = new Set(['BehindOwnWrite', 'Unreachable', 'Unauthorized']);

const ourTurn = { reason: 'BehindOwnWrite', message: 'a write of ours is under way there' } as const;

/** Remembers, by key, which regions could be seen a moment ago. */
export class Sight {
  /** By key and region: monotonic milliseconds at which a region that could be seen was lost out of sight. */
  readonly #lostAt = new Map<string, Record<string, number | 'in sight'>>();

  /**
   * `snapshot` with regions of which little is known for a moment only. A region with a turn of ours under way is
   * behind it, whatever its caches say. One that has not been out of sight for long is told of as before.
   */
  follow(key: string, snapshot: Snapshot, isUnderWay: (region: string) => boolean): Snapshot {
    const before = this.#lostAt.get(key) ?? {};
    const now: Record<string, number | 'in sight'> = {};
    this.#lostAt.set(key, now);
    const regions = Object.entries(snapshot.regions).map(([name, region]): [string, RegionSnapshot] => {
      const there = region.known && isUnderWay(name) ? ({ known: false, ...ourTurn } as const) : region;
      if (there.known) now[name] = 'in sight';
      const lostAt = before[name];
      if (there.known || lostAt === undefined || !passing.has(there.reason)) return [name, there];
      const since = lostAt === 'in sight' ? snapshot.monotonicMs : lostAt;
      now[name] = since;
      const isPassing = snapshot.monotonicMs - since < patienceMs;
      return [name, isPassing ? { ...there, isPassing } : there];
    });
    return { ...snapshot, regions: Object.fromEntries(regions) };
  }

  forget(key: string): void {
    this.#lostAt.delete(key);
  }
}

/**
 * `now` as people look at it: a region that is out of sight for a moment only, for a write of ours is under way there, is as it was
 * in `before`.
 */
export function asLookedAt(now: Snapshot, before: Snapshot | undefined): Snapshot {
  const regions = Object.entries(now.regions).map(([name, region]): [string, RegionSnapshot] => [
    name,
    region.known || !region.isPassing ? region : (before?.regions[name] ?? region),
  ]);
  return { ...now, regions: Object.fromEntries(regions) };
}
