import { dirname, join } from 'node:path';
import type { Regions } from '../harness/index.ts';

/** What a person can do with the ring while it is up. `address` is that of eu's node. */
export function whatToTry(
  regions: Regions,
  {
    name,
    namespace,
    controllerLog,
    address,
  }: { name: string; namespace: string; controllerLog: string; address: string },
): string {
  const { network } = regions.region('us');
  const pod = `${name}-us-rack1-0`;
  const patch = (operation: object): string =>
    `kubectl patch mcc ${name} --type json -p '[${JSON.stringify(operation)}]'`;
  return `It stays up. Try, in another terminal:

  export PATH=${dirname(regions.kubectl)}:$PATH
  alias kubectl='kubectl --namespace ${namespace}'    # contexts: ${regions.all.map((each) => each.name).join(', ')}

${lines([
  ['kubectl get mcc --watch', 'the whole federation in one line'],
  [`kubectl describe mcc ${name}`, 'every condition, with its sentence'],
  ['kubectl --context us get cassandracluster,statefulset,pod', 'what is in one region'],
  [`kubectl --context us delete pod ${pod}`, 'it comes back with its disk and host ID'],
  [`ip -n ${network.namespace} rule add pref 300 blackhole`, 'cut us off from everything, its API server too ...'],
  [`ip -n ${network.namespace} rule del pref 300`, '... and heal it'],
  [`tail -f ${controllerLog}`, 'what the controller says'],
])}

Have a region leave the ring, and join it again. What it waits for is said below; \`alter\` runs the statements it asks for:

  alter() { kubectl get mcc ${name} -o jsonpath='{.status.conditions[*].message}' | node ${join(import.meta.dirname, 'alter.ts')} eu ${address}; }

${lines([
  [patch({ op: 'add', path: '/spec/regions/2/state', value: 'Removing' }), 'ap is to leave ...'],
  ['alter', '... once no keyspace has replicas there; its node leaves, its member goes, and its stage is Removed'],
  [patch({ op: 'remove', path: '/spec/regions/2' }), 'so its entry may be dropped'],
  [`kubectl --context ap delete pvc --selector cassandracluster=${name}`, 'disks are never deleted for you'],
  [patch({ op: 'add', path: '/spec/regions/-', value: { name: 'ap' } }), 'have it join again, with a new disk ...'],
  ['alter', '... once the system keyspaces can have replicas there ...'],
  ['alter', '... and, once it has joined, give all keyspaces replicas there: it streams their rows'],
])}

What changes is said below. Ctrl-C removes everything.
`;
}

function lines(attempts: readonly (readonly [command: string, meaning: string])[]): string {
  const width = Math.max(...attempts.map(([command]) => command.length));
  return attempts.map(([command, meaning]) => `  ${command.padEnd(width)}  # ${meaning}`).join('\n');
}
