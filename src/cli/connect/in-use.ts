import { isObject } from '../../api/json.ts';
import type { KubeObject } from '../../kube/objects.ts';

/** Stages of a region that Ringmaster has nothing to do in any more. */
const gone: readonly unknown[] = ['Removed', 'Abandoned'];

/**
 * Why the region of this context may not be disconnected, one sentence for each MultiCassandraCluster that still needs it: it stands
 * in the spec, or is still on its way out of the ring. What is wrong with an object is passed over: it names nothing.
 */
export function needs(federations: readonly KubeObject[], context: string): string[] {
  return federations.flatMap(({ metadata: { namespace = '', name }, ...federation }) => {
    const status = listIn(federation['status']);
    const stages = new Map(status.map((each) => [each['name'], each['stage']]));
    const inSpec = listIn(federation['spec']).filter((each) => (each['context'] ?? each['name']) === context);
    const inStatus = status.filter(
      ({ name: region, identity }) =>
        isObject(identity) && identity['context'] === context && !inSpec.some((each) => each['name'] === region),
    );
    const word = (value: unknown): string => (typeof value === 'string' ? value : 'unknown');
    const needing = inSpec.filter(
      ({ name: region, state }) => state !== 'Abandoned' && !gone.includes(stages.get(region)),
    );
    const leaving = inStatus.filter(({ stage }) => !gone.includes(stage));
    return [
      ...needing.map(
        (each) => `${namespace}/${name}: region ${word(each['name'])} is ${word(each['state'] ?? 'Managed')}`,
      ),
      ...leaving.map(
        (each) =>
          `${namespace}/${name}: region ${word(each['name'])} is in its status, with stage ${word(each['stage'])}`,
      ),
    ];
  });
}

function listIn(part: unknown): Record<string, unknown>[] {
  const regions = isObject(part) ? part['regions'] : undefined;
  return Array.isArray(regions) ? (regions as unknown[]).filter(isObject) : [];
}
