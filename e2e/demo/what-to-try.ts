import { dirname } from 'node:path';
import type { Regions } from '../harness/index.ts';

/** What a person can do with the ring while it is up. */
export function whatToTry(
  regions: Regions,
  { name, namespace, controllerLog }: { name: string; namespace: string; controllerLog: string },
): string {
  const { network } = regions.region('us');
  const pod = `${name}-us-rack1-0`;
  const attempts = [
    ['kubectl get mcc --watch', 'the whole federation in one line'],
    [`kubectl describe mcc ${name}`, 'every condition, with its sentence'],
    ['kubectl --context us get cassandracluster,statefulset,pod', 'what is in one region'],
    [`kubectl --context us delete pod ${pod}`, 'it comes back with its disk and host ID'],
    [`ip -n ${network.namespace} rule add pref 300 blackhole`, 'cut us off from everything, its API server too ...'],
    [`ip -n ${network.namespace} rule del pref 300`, '... and heal it'],
    [`tail -f ${controllerLog}`, 'what the controller says'],
  ] as const;
  const width = Math.max(...attempts.map(([command]) => command.length));
  return `It stays up. Try, in another terminal:

  export PATH=${dirname(regions.kubectl)}:$PATH
  alias kubectl='kubectl --namespace ${namespace}'    # contexts: ${regions.all.map((each) => each.name).join(', ')}

${attempts.map(([command, meaning]) => `  ${command.padEnd(width)}  # ${meaning}`).join('\n')}

What changes is said below. Ctrl-C removes everything.
`;
}
