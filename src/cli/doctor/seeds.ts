import type { Finding, Tell } from './finding.ts';

/** A DNS server that is asked, and what it said: name -> addresses, or why there are none. */
export interface NamesSeen {
  /** In words: `from here`, `in region us (198.51.100.53)`. */
  readonly whence: string;
  /** Whether it is what the pods of a region ask. */
  readonly isRegions: boolean;
  readonly answers: ReadonlyMap<string, readonly string[] | string>;
}

/**
 * Whether seeds have addresses, and the same ones wherever they were asked for. Names that are not known here may be known in the regions, which is what
 * counts; but from there only a region's own DNS server can tell. Pure.
 * @param alive whether all nodes hear each other, which proves more than any name
 */
export function seedFindings(tell: Tell, seen: readonly NamesSeen[], alive: boolean): Finding[] {
  const names = [...new Set(seen.flatMap(({ answers }) => [...answers.keys()]))];
  const findings = seen.flatMap(({ whence, isRegions, answers }): Finding[] => {
    const unknown = [...answers].filter(([, found]) => typeof found === 'string');
    if (unknown.length === 0) return [tell('seeds', 'ok', `all ${answers.size} seeds have addresses, asked ${whence}`)];
    const silent = unknown.find(([, why]) => isSilence(String(why)));
    if (silent)
      return [tell('seeds', 'unseen', `no DNS server answers about seeds, asked ${whence}: ${String(silent[1])}`)];
    const said = unknown.map(([name, why]) => `${name} (${String(why)})`).join(', ');
    const message = `seeds that have no address, asked ${whence}: ${said}`;
    const todo = 'see to it that ExternalDNS, or whoever publishes the names of pods, knows them in every region';
    // Names of a private zone are none of this machine's business, as long as the nodes have found each other.
    if (isRegions) return [tell('seeds', alive ? 'warning' : 'failure', message, todo)];
    return [alive ? tell('seeds', 'unseen', message) : tell('seeds', 'warning', message, todo)];
  });
  const differing = names.filter((name) => {
    const found = seen.flatMap(({ answers }) => {
      const addresses = answers.get(name);
      return addresses === undefined || typeof addresses === 'string' ? [] : [addresses.toSorted().join(' ')];
    });
    return new Set(found).size > 1;
  });
  if (differing.length === 0) return findings;
  const message = `seeds whose address depends on where one asks: ${differing.join(', ')}`;
  const todo = 'a stale cache, or two zones of one name: compare dig NAME in each region';
  return [...findings, tell('seeds', 'warning', message, todo)];
}

function isSilence(why: string): boolean {
  return /^(?:ECONNREFUSED|ETIMEOUT|ECANCELLED)$/.test(why);
}
