import { at, type JsonObject } from '../../api/json.ts';
import type { KubeObject } from '../../kube/objects.ts';

/** What CassKop has noted for one rack. */
export interface RackAction {
  readonly name?: string | undefined;
  readonly status?: string | undefined;
}

/**
 * What rids CassKop of actions that it has noted and never begins; undefined: there are none.
 *
 * CassKop notes what it is about to do to a rack as ToDo, and makes Ongoing of it as it writes the StatefulSet. While a node joins it writes none;
 * and if the old value is back by then, or the note is lost that it has written, the StatefulSet is what the spec asks for, nothing is
 * left to write, and the action is ToDo for ever. While it is, CassKop looks for no other one (2.3.4, getNextCassandraClusterStatus and
 * CreateOrUpdateStatefulSet). Once it is Done, CassKop compares again, so nothing is lost that was to be done all the same. That is said only of a rack whose
 * pods are all as their StatefulSet asks.
 * @param racks what is noted, by datacenter and rack as in `eu-rack1`
 * @param replicas StatefulSet name -> replicas that the member asks for
 * @returns the racks, and the merge patch of the member's status
 */
export function voidActions(
  member: KubeObject,
  racks: Readonly<Record<string, RackAction | undefined>>,
  statefulSets: readonly KubeObject[],
  replicas: Readonly<Record<string, number>>,
): { racks: readonly string[]; status: JsonObject } | undefined {
  const found = Object.entries(racks).flatMap(([rack, action]) => {
    const name = `${member.metadata.name}-${rack}`;
    const set = statefulSets.find((each) => each.metadata.name === name);
    if (action?.status !== 'ToDo' || !set || !isAtRest(set)) return [];
    return isDone(action.name, member, set, replicas[name]) ? [rack] : [];
  });
  if (found.length === 0) return undefined;
  const over = { cassandraLastAction: { status: 'Done' } };
  return { racks: found, status: { cassandraRackStatus: Object.fromEntries(found.map((rack) => [rack, over])) } };
}

/** While its pods are on the move, CassKop may have written it a moment ago and be about to note that. */
function isAtRest(set: KubeObject): boolean {
  const { observedGeneration, currentRevision, updateRevision, readyReplicas } = (at(set, ['status']) ??
    {}) as JsonObject;
  const isObserved = Number(observedGeneration) >= (set.metadata.generation ?? 0);
  return isObserved && currentRevision === updateRevision && readyReplicas === at(set, ['spec', 'replicas']);
}

/** Whether the StatefulSet is already what the action is to make of it. A restart and other seeds are always written, and a node that leaves is another matter. */
function isDone(
  action: string | undefined,
  member: KubeObject,
  set: KubeObject,
  replicas: number | undefined,
): boolean {
  switch (action) {
    case 'UpdateDockerImage':
      return at(named(set, 'containers', 'cassandra'), ['image']) === at(member, ['spec', 'cassandraImage']);
    case 'UpdateConfigMap': {
      const there = at(named(set, 'volumes', 'cassandra-config'), ['configMap', 'name']) ?? '';
      return there === (at(member, ['spec', 'configMapName']) ?? '');
    }
    case 'ScaleUp':
      return at(set, ['spec', 'replicas']) === replicas;
    default:
      return false;
  }
}

function named(set: KubeObject, list: 'containers' | 'volumes', name: string): unknown {
  const items = at(set, ['spec', 'template', 'spec', list]) as { name: string }[] | undefined;
  return items?.find((each) => each.name === name);
}
