import { resources } from '../kube/objects.ts';
import type { NodeOrder } from '../ring/jolokia.ts';
import type { PlanContext } from './context.ts';
import type { Intent } from './intents.ts';
import { answeredFor, isLeaving, isObserved, type RegionPicture } from './picture.ts';

/** Tells the node in a region's pod, which must be this host, what to do. */
export function nodeOrder(
  { region }: Pick<RegionPicture, 'region'>,
  { pod, hostId }: { pod: string; hostId: string },
  order: NodeOrder,
  why: string,
): Intent {
  const ref = { namespace: region.namespace, name: pod };
  return { region: region.name, why, write: { verb: 'order', resource: resources.pods, ref, hostId, order } };
}

/** Has a node that stays, and knows the host, take it out of the ring; undefined: there is none that can be asked. */
export function removalOrder({ pictures, heard }: PlanContext, hostId: string, whose: string): Intent | undefined {
  const staying = pictures.filter((each) => answeredFor(each) && !isLeaving(each) && !isObserved(each));
  for (const picture of staying) {
    for (const { name } of picture.pods) {
      const view = heard.get(name);
      if (view?.operationMode !== 'NORMAL' || !Object.values(view.hosts).includes(hostId)) continue;
      const why = `have ${name} remove host ${hostId} of region ${whose} from the ring`;
      return nodeOrder(picture, view, { what: 'removeNode', hostId }, why);
    }
  }
  return undefined;
}
