import { isObject, type JsonObject } from '../../api/json.ts';
import type { FieldPath } from '../../api/problem.ts';
import type { Report } from './multi-casskop.ts';
import type { SeedPod } from './multi-casskop-seeds.ts';

/** Fields of a CassandraCluster's spec (db.orange.com/v2, CassKop 2.3.4); others never reach a member. */
const known = new Set([
  ...(
    'nodesPerRacks cassandraImage imagepullpolicy envVars bootstrapImage configBuilderImage runAsUser fsGroup readOnlyRootFilesystem resources ' +
    'hardAntiAffinity pod service deletePVC debug autoPilot noCheckStsAreEqual autoUpdateSeedList maxPodUnavailable unlockNextOperation ' +
    'restartCountBeforePodDeletion dataCapacity dataStorageClass storageConfigs sidecarConfigs configMapName serverVersion serverType config ' +
    'imagePullSecret imageJolokiaSecret keyspaceCleanupThreads topology shareProcessNamespace backRestSidecar serviceAccountName jmxConfiguration'
  ).split(' '),
  ...['liveness', 'readiness'].flatMap((probe) =>
    ['InitialDelaySeconds', 'HealthCheckTimeout', 'HealthCheckPeriod', 'FailureThreshold', 'SuccessThreshold'].map(
      (field) => `${probe}${field}`,
    ),
  ),
]);

/** Fields that a MultiCassandraCluster does not take as they are: what to write in their place, and what to say. */
const ours: Readonly<Record<string, { to?: unknown; message: string }>> = {
  deletePVC: {
    to: false,
    message: 'With it the data goes along with the member. It becomes false, which restarts nothing.',
  },
  autoUpdateSeedList: {
    to: false,
    message: "With it CassKop drops the other regions' seeds. It becomes false, which restarts nothing.",
  },
  unlockNextOperation: { message: 'This is a command for one moment. It is left out.' },
  noCheckStsAreEqual: {
    message: 'With it a region never settles. It is left out; set it to false in the members, which restarts nothing.',
  },
};

/** What a member's spec becomes below template.spec: without topology, without what CassKop does not know or what is empty. */
export function specIn(spec: JsonObject, path: FieldPath, report: Report): JsonObject {
  const kept: JsonObject = {};
  for (const [field, value] of Object.entries(spec)) {
    const own = ours[field];
    if (field === 'topology' || value === undefined || value === null) continue;
    if (!known.has(field))
      report.note([...path, field], 'CassKop 2 does not know this field, so no member has it. It is left out.');
    else if ((field === 'nodesPerRacks' || field === 'maxPodUnavailable') && value === 0) continue;
    else if (own && value === true) {
      report.note([...path, field], own.message);
      if (own.to !== undefined) kept[field] = own.to;
    } else if (own === undefined) kept[field] = value;
  }
  if (typeof kept['configMapName'] === 'string') {
    report.note(
      [...path, 'configMapName'],
      `Ringmaster runs the scripts of ConfigMap ${kept['configMapName']} before its own, and reads them from the hub: put that ConfigMap into the namespace of the MultiCassandraCluster.`,
    );
  }
  return kept;
}

/** The datacenters of a member, as spec.regions[].datacenters has them, and the pods that they make. */
export function datacentersIn(
  spec: JsonObject,
  path: FieldPath,
  report: Report,
  names: { clusterName: string; region: string; namespace: string },
): { datacenters: JsonObject[]; pods: SeedPod[] } {
  const topology = isObject(spec['topology']) ? spec['topology'] : {};
  const list = Array.isArray(topology['dc']) ? (topology['dc'] as unknown[]) : [];
  const place = [...path, 'topology', 'dc'];
  if (list.length === 0) {
    report.problem(
      place,
      'Name the datacenters of this region: CassKop would call the one of every region dc1, and the names are unique in one ring.',
    );
  }
  const pods: SeedPod[] = [];
  const datacenters = list.map((raw, index): JsonObject => {
    const at = [...place, index];
    const { name, labels, rack, nodesPerRacks, ...rest } = isObject(raw) ? raw : {};
    const overrides: JsonObject = {};
    for (const [field, value] of Object.entries(rest)) {
      if (['config', 'resources', 'dataCapacity', 'dataStorageClass'].includes(field)) overrides[field] = value;
      else report.note([...at, field], 'CassKop 2 does not know this field, so no member has it. It is left out.');
    }
    if (nodesPerRacks === 0) {
      report.problem(
        [...at, 'nodesPerRacks'],
        'A datacenter without nodes cannot be taken over. Take it out of the MultiCasskop and its member first.',
      );
    }
    const racks = Array.isArray(rack) ? (rack as unknown[]) : [];
    if (racks.length === 0)
      report.problem([...at, 'rack'], 'Name the racks: with none, CassKop replaces the whole topology.');
    const nodes = Number(nodesPerRacks ?? spec['nodesPerRacks'] ?? 1) || 1;
    return {
      name,
      ...(nodesPerRacks !== undefined && { nodesPerRacks }),
      ...(isObject(labels) && { labels }),
      racks: racks.map((each, number) => {
        const own = isObject(each) ? each : {};
        checkRack(own, [...at, 'rack', number], report);
        for (let ordinal = 0; ordinal < nodes; ordinal++) {
          const [datacenter, named] = [String(name), String(own['name'])];
          const pod = `${names.clusterName}-${datacenter}-${named}-${ordinal}`;
          pods.push({
            pod,
            datacenter,
            rack: named,
            region: names.region,
            namespace: names.namespace,
            cluster: names.clusterName,
          });
        }
        return { name: own['name'], ...(isObject(own['labels']) && { labels: own['labels'] }) };
      }),
      ...(Object.keys(overrides).length > 0 && { overrides }),
    };
  });
  return { datacenters, pods };
}

function checkRack(rack: JsonObject, path: FieldPath, report: Report): void {
  if (isObject(rack['config']) && Object.keys(rack['config']).length > 0) {
    report.problem(
      [...path, 'config'],
      'A MultiCassandraCluster has no config for a single rack. Give the datacenter this config, which restarts the other racks.',
    );
  }
  if (rack['rollingPartition']) {
    report.note(
      [...path, 'rollingPartition'],
      'It holds every change back. It is left out; set it to 0 in the member before it is adopted.',
    );
  }
  for (const field of Object.keys(rack)) {
    if (!['name', 'labels', 'config', 'rollingPartition', 'rollingRestart'].includes(field)) {
      report.note([...path, field], 'CassKop 2 does not know this field, so no member has it. It is left out.');
    }
  }
}
