import { createHash } from 'node:crypto';
import type { ApiObject } from '../../harness/api-server.ts';
import type { StatefulSet } from '../statefulset.ts';
import type { ReplayServer } from './replay-server.ts';
import { collections } from './recording.ts';

/**
 * Controllers, provisioner and kubelet that need no time: a StatefulSet has its pods, running and ready, its claims and
 * its newest revision as soon as it is written, and what it owns goes with it.
 */
export function serveAtOnce(api: ReplayServer): void {
  api.onChange(({ plural, type, object }) => {
    const { name, deletionTimestamp, finalizers = [] } = object.metadata;
    const isOrphaning = finalizers.includes('orphan');
    if (plural === 'statefulsets' && type === 'DELETED') {
      if (isOrphaning) return;
      for (const pod of podsOf(api, name)) api.drop(collections.Pod, pod, 'controller');
    } else if (plural === 'statefulsets' && deletionTimestamp) {
      if (isOrphaning) api.drop(collections.StatefulSet, name, 'controller');
    } else if (plural === 'statefulsets') {
      follow(api, object as StatefulSet);
    }
  });
}

function podsOf(api: ReplayServer, statefulSet: string): string[] {
  return api.names(collections.Pod).filter((name) => name.replace(/-\d+$/, '') === statefulSet);
}

function follow(api: ReplayServer, statefulSet: StatefulSet): void {
  const { name } = statefulSet.metadata;
  const { replicas, template, volumeClaimTemplates = [] } = statefulSet.spec;
  const { labels = {} } = template.metadata;
  const wanted = Array.from({ length: replicas }, (_, ordinal) => `${name}-${ordinal}`);
  for (const pod of podsOf(api, name)) if (!wanted.includes(pod)) api.drop(collections.Pod, pod, 'controller');
  for (const pod of wanted) {
    for (const claim of volumeClaimTemplates)
      putOnce(api, collections.PersistentVolumeClaim, {
        metadata: { name: `${claim.metadata.name}-${pod}`, labels, finalizers: ['kubernetes.io/pvc-protection'] },
        spec: claim.spec,
      });
    putOnce(api, collections.Pod, {
      metadata: { name: pod, labels },
      spec: { hostname: pod, subdomain: statefulSet.spec['serviceName'] },
      status: {
        phase: 'Running',
        podIP: `192.0.2.${api.names(collections.Pod).length + 1}`,
        containerStatuses: [{ name: 'cassandra', ready: true, restartCount: 0 }],
      },
    });
  }
  const revision = createHash('sha256').update(JSON.stringify(template)).digest('hex').slice(0, 8);
  const status = { replicas, readyReplicas: replicas, currentRevision: revision, updateRevision: revision };
  api.set(collections.StatefulSet, { ...statefulSet, status }, 'controller');
}

function putOnce(api: ReplayServer, collection: string, object: ApiObject): void {
  if (!api.peek(collection, object.metadata.name)) api.set(collection, object, 'controller');
}
