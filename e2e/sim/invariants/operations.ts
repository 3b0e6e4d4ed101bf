import type { KubeObject } from '../../../src/kube/objects.ts';
import { orderOn } from '../../../src/federation/bookkeeping.ts';
import type { Invariant, Write } from './invariant.ts';
import { podsOf } from './reading.ts';

/** A pod that a write has told to do something; undefined: it tells nobody anything. */
function toldBy({ plural, succeeded, after, method }: Write): KubeObject | undefined {
  if (plural !== 'pods' || !succeeded || method !== 'PATCH') return undefined;
  return after?.metadata.labels?.['operation-status'] === 'ToDo' ? after : undefined;
}

function isAtIt(pod: KubeObject | undefined): boolean {
  return ['ToDo', 'Ongoing'].includes(pod?.metadata.labels?.['operation-status'] ?? '');
}

/** Part of DESIGN section 6: one-shot commands are sent once. */
export const nodesAreToldOnce: Invariant = {
  name: 'nodes are told once',
  statement:
    'No node is told to clean up, or the like, a second time for the same token, unless it has failed: on a large node that is hours of work for nothing.',
  watch: () => {
    /** Pod's uid and operation -> the token that it was last done for. */
    const done = new Map<string, string>();
    const keyOf = (pod: KubeObject): string => `${pod.metadata.uid} ${orderOn(pod)?.name}`;
    /** Operation -> the token of now. A token that was another one meanwhile asks anew. */
    const asked = new Map<string, string>();
    return {
      onChange: (_cluster, { resource, object, type }) => {
        const { labels } = object.metadata;
        if (resource.plural === 'multicassandraclusters') {
          const { operations = {} } = object['spec'] as { operations?: Record<string, string> };
          for (const [name, token] of Object.entries(operations)) {
            if (asked.get(name) === token) continue;
            asked.set(name, token);
            for (const key of done.keys()) if (key.endsWith(` ${name}`)) done.delete(key);
          }
          return undefined;
        }
        if (resource.plural !== 'pods' || type === 'DELETED' || labels?.['operation-status'] !== 'Done')
          return undefined;
        if (labels['operation-name'] === orderOn(object)?.name) done.set(keyOf(object), orderOn(object)?.token ?? '');
        return undefined;
      },
      onWrite: (write) => {
        const pod = toldBy(write);
        if (!pod) return undefined;
        const { name } = pod.metadata;
        if (isAtIt(write.before))
          return `${write.by} told ${name} something (${write.why}) while it was at what it was told before`;
        return done.get(keyOf(pod)) === orderOn(pod)?.token
          ? `${write.by} told ${name} again (${write.why}) what it had done`
          : undefined;
      },
    };
  },
};

export const oneNodeIsAtIt: Invariant = {
  name: 'one node at a time is told',
  statement:
    'A node is told to clean up, or the like, only while no other one of any region is at it: it costs every query that the node serves, and a region is to stay fast while another one is slow.',
  watch: (facts) => {
    /** Region and pod -> the pod as it was last seen, of those that were told by a controller. */
    const told = new Map<string, KubeObject>();
    return {
      onChange: (cluster, { resource, object, type }) => {
        if (resource.plural !== 'pods') return undefined;
        const key = `${cluster} ${object.metadata.name}`;
        if (type === 'DELETED') told.delete(key);
        else if (told.has(key)) told.set(key, object);
        return undefined;
      },
      onWrite: (write) => {
        const pod = toldBy(write);
        if (!pod) return undefined;
        const key = `${write.cluster} ${pod.metadata.name}`;
        const other = [...told].find(([each, object]) => each !== key && isAtIt(object) && isOfMember(each, object));
        told.set(key, pod);
        return (
          other && `${write.by} told ${pod.metadata.name} (${write.why}) while ${other[1].metadata.name} was at it`
        );
      },
    };

    /** The region may have been written anew, smaller. */
    function isOfMember(key: string, { metadata }: KubeObject): boolean {
      const member = facts.member(key.split(' ')[0] ?? '');
      return member !== undefined && podsOf(member).includes(metadata.name);
    }
  },
};
