import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The zone that every region's pods have names in, as ExternalDNS would publish them. */
export const zone = 'db.example.net';
const clusterDomain = 'svc.cluster.local';

/** A pod that has names. */
export interface NamedPod {
  readonly namespace: string;
  readonly pod: string;
  /** The pod's headless Service (spec.subdomain); a pod without one has no cluster-local name. */
  readonly service: string | undefined;
  readonly address: string;
}

/** `addresses`: they are the answer; `unknown`: there is no such name; `outage`: the server cannot tell. */
export type Lookup = { kind: 'addresses'; addresses: readonly string[] } | { kind: 'unknown' } | { kind: 'outage' };

/**
 * All names of all regions as seen from one region. Each region's kubelet publishes its pods in a file of its own in a
 * directory they share, so names resolve while the network between regions is cut, as those of a replicated zone do.
 */
export class Zone {
  readonly #directory: string;
  readonly #region: string;
  readonly #regions: readonly string[];
  readonly #loaded = new Map<string, { version: string; names: Map<string, string[]> }>();

  constructor(directory: string, region: string, regions: readonly string[]) {
    this.#directory = directory;
    this.#region = region;
    this.#regions = regions;
  }

  /** Replaces what this zone's own region publishes. */
  publish(pods: readonly NamedPod[]): void {
    const file = recordsFile(this.#directory, this.#region);
    writeFileSync(`${file}.new`, JSON.stringify(pods));
    renameSync(`${file}.new`, file);
  }

  /** What a pod's resolver does with a name: the search domains of its namespace first, then the name as it is. */
  resolve(name: string, namespace: string): Lookup {
    for (const domain of [...searchDomains(namespace), '']) {
      const found = this.lookup(domain === '' ? name : `${name}.${domain}`);
      if (found.kind !== 'unknown') return found;
    }
    return { kind: 'unknown' };
  }

  /** Looks a full name up, without search domains; upper and lower case are the same. */
  lookup(name: string): Lookup {
    if (existsSync(outageFile(this.#directory, this.#region))) return { kind: 'outage' };
    const wanted = name.toLowerCase().replace(/\.$/, '');
    const addresses = this.#regions.flatMap((region) => this.#names(region).get(wanted) ?? []);
    return addresses.length === 0 ? { kind: 'unknown' } : { kind: 'addresses', addresses };
  }

  #names(region: string): Map<string, string[]> {
    const file = recordsFile(this.#directory, region);
    const found = statSync(file, { throwIfNoEntry: false });
    if (!found) return new Map();
    // Files are replaced, never changed, so the inode tells versions within the clock's resolution apart.
    const version = `${found.ino} ${found.mtimeMs}`;
    const loaded = this.#loaded.get(region);
    if (loaded?.version === version) return loaded.names;
    const names = new Map<string, string[]>();
    for (const pod of JSON.parse(readFileSync(file, 'utf8')) as NamedPod[])
      for (const name of namesOf(pod, region, region === this.#region))
        names.set(name, [...(names.get(name) ?? []), pod.address]);
    this.#loaded.set(region, { version, names });
    return names;
  }
}

/** Every full name of a pod: those in the shared zone, and for pods of the asking region the cluster-local one. */
export function namesOf({ namespace, pod, service }: NamedPod, region: string, local: boolean): string[] {
  const names = [`${pod}.${zone}`, `${pod}.${region}.${zone}`, `${pod}.${namespace}.${region}.${zone}`];
  if (local && service !== undefined) names.push(clusterLocalName(pod, service, namespace));
  return names;
}

/** What `hostname -f` says in a pod. */
export function clusterLocalName(pod: string, service: string, namespace: string): string {
  return `${pod}.${service}.${namespace}.${clusterDomain}`;
}

/** Domains that a pod's resolver tries, as the kubelet writes them into its resolv.conf. */
export function searchDomains(namespace: string): string[] {
  return [`${namespace}.${clusterDomain}`, clusterDomain, 'cluster.local'];
}

/** While this file exists, the region's server answers every question with SERVFAIL. */
export function outageFile(directory: string, region: string): string {
  return join(directory, `${region}.outage`);
}

function recordsFile(directory: string, region: string): string {
  return join(directory, `${region}.json`);
}
