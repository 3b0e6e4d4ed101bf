import type { EffectiveFederation } from '../effective.ts';
import { type FieldPath, invalid, type Problem } from '../problem.ts';
import type { MultiCassandraCluster } from '../schema.ts';

/**
 * The longest `<cluster>-<datacenter>-<rack>`: CassKop puts `<pod>_<ip>` into a label, and a label's value has at most
 * 63 characters.
 */
const rackNameLengthMax = 45;

/** Names of the cluster, of regions and where they are, of datacenters and racks. */
export function validateNames(mcc: MultiCassandraCluster, federation: EffectiveFederation): Problem[] {
  return [...clusterProblems(mcc), ...regionProblems(mcc, federation), ...datacenterProblems(mcc, federation)];
}

function* clusterProblems(mcc: MultiCassandraCluster): Generator<Problem> {
  if (mcc.spec.clusterName === undefined && !/^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(mcc.metadata.name)) {
    yield invalid(
      ['metadata', 'name'],
      `${JSON.stringify(mcc.metadata.name)} cannot be the name of a Cassandra cluster and its service: lower-case letters, digits and "-", ` +
        'beginning with a letter. Set spec.clusterName, or rename the object.',
    );
  }
}

function* regionProblems(mcc: MultiCassandraCluster, federation: EffectiveFederation): Generator<Problem> {
  const names = new Set<string>();
  const places = new Map<string, string>();
  for (const [index, region] of federation.regions.entries()) {
    const written = mcc.spec.regions[index];
    if (names.has(region.name)) {
      yield invalid(
        ['spec', 'regions', index, 'name'],
        `There is another region named ${region.name}. Give each region a name of its own.`,
      );
      continue;
    }
    names.add(region.name);
    const place = JSON.stringify([region.context, region.namespace]);
    const other = places.get(place);
    places.set(place, other ?? region.name);
    if (other !== undefined) {
      const field = written?.context === undefined ? 'name' : 'context';
      yield invalid(
        ['spec', 'regions', index, field],
        `Regions ${other} and ${region.name} are the same place: context ${region.context}, namespace ${region.namespace}. Give one of them another context or namespace.`,
      );
    }
    yield* repeatedHosts(index, region.acknowledgedHosts);
  }
}

function* repeatedHosts(region: number, hosts: readonly { pod: string }[]): Generator<Problem> {
  const pods = new Set<string>();
  for (const [index, { pod }] of hosts.entries()) {
    if (pods.has(pod)) {
      yield invalid(
        ['spec', 'regions', region, 'acknowledgedHosts', index, 'pod'],
        `Pod ${pod} is acknowledged twice. Keep the entry with the host ID it carries now.`,
      );
    }
    pods.add(pod);
  }
}

interface PlacedName {
  name: string;
  region: string;
  path: FieldPath;
}

function* datacenterProblems(mcc: MultiCassandraCluster, federation: EffectiveFederation): Generator<Problem> {
  const all: PlacedName[] = [];
  for (const [regionIndex, region] of federation.regions.entries()) {
    const written = mcc.spec.regions[regionIndex]?.datacenters;
    for (const [index, datacenter] of region.datacenters.entries()) {
      const here: FieldPath = ['spec', 'regions', regionIndex, ...(written ? ['datacenters', index] : [])];
      const path = [...here, 'name'];
      all.push({ name: datacenter.name, region: region.name, path });
      if (!written && !/^[a-z][a-z0-9]*$/.test(datacenter.name)) {
        yield invalid(
          path,
          `Region ${region.name} names no datacenters, so its one datacenter would be named ${region.name}; but a datacenter name starts with a ` +
            'lower-case letter and has lower-case letters and digits only. List its datacenters.',
        );
      }
      const racks = new Set<string>();
      for (const [rackIndex, rack] of datacenter.racks.entries()) {
        const rackPath = written?.[index]?.racks ? [...here, 'racks', rackIndex, 'name'] : path;
        if (racks.has(rack.name)) {
          yield invalid(
            rackPath,
            `There is another rack named ${rack.name} in datacenter ${datacenter.name}. Give each rack a name of its own.`,
          );
        }
        racks.add(rack.name);
        const full = `${federation.clusterName}-${datacenter.name}-${rack.name}`;
        if (full.length > rackNameLengthMax) {
          yield invalid(
            rackPath,
            `${full} has ${full.length} characters, and <cluster>-<datacenter>-<rack> may have ${rackNameLengthMax}. Shorten one of the three names.`,
          );
        }
      }
    }
  }
  yield* clashes(all);
}

/** Equal names, and names that are the beginning of another one. */
function* clashes(all: readonly PlacedName[]): Generator<Problem> {
  // Sorted, everything that begins with a name follows it at once. Equal names stay in the order they are written.
  const sorted = [...all].sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
  const beginnings: PlacedName[] = [];
  for (const datacenter of sorted) {
    while (beginnings.length > 0 && !datacenter.name.startsWith(beginnings.at(-1)?.name ?? '')) beginnings.pop();
    const other = beginnings.at(-1);
    if (other?.name === datacenter.name) {
      yield invalid(
        datacenter.path,
        `Region ${other.region} has a datacenter named ${datacenter.name} already. Datacenter names are unique in the whole ring; rename one.`,
      );
    } else if (other) {
      yield invalid(
        datacenter.path,
        `Datacenter name ${datacenter.name} begins with the name of datacenter ${other.name} (region ${other.region}), and the regional operator ` +
          'takes data of the one for data of the other. Rename one, so that no name is the beginning of another.',
      );
    }
    beginnings.push(datacenter);
  }
}
