import assert from 'node:assert/strict';
import type { Timer } from '../../../src/edges/clock.ts';
import { resources } from '../../../src/kube/objects.ts';
import { simResources } from '../api/resources.ts';
import type { DisruptionBudget, StatefulSet } from '../region/workload-objects.ts';
import { clusterName, namespace } from '../world/user.ts';
import { paths, type Scene } from './scene.ts';

const user = 'faulty casskop';

/** Leaves the ConfigMap that `configMapName` names out of the StatefulSets of a region. Answers how to end that. */
export function forgetGuard(scene: Scene, region: string): () => void {
  const server = scene.world.server(region);
  return server.onChange((change) => {
    if (change.resource !== resources.statefulSets || change.type === 'DELETED' || change.user === user) return;
    const { volumes = [] } = (change.object as StatefulSet).spec.template.spec;
    const kept = volumes.filter(({ configMap }) => !configMap);
    if (kept.length === volumes.length) return;
    server.handle({
      method: 'PATCH',
      path: paths.statefulSet(change.object.metadata.name),
      contentType: 'application/merge-patch+json',
      body: { spec: { template: { spec: { volumes: kept } } } },
      user,
    });
  });
}

/** Deletes all claims of a region's pods, as a CassKop does that takes the cluster for a deleted one with deletePVC. */
export function deleteClaims(scene: Scene, region: string): void {
  const server = scene.world.server(region);
  scene.world.clock.wakePromises();
  for (const { metadata } of Array.from(server.all(resources.persistentVolumeClaims, namespace))) {
    server.handle({ method: 'DELETE', path: paths.claim(metadata.name), user });
  }
}

/** Deletes the disruption budget every few seconds for another one, as of another maxPodUnavailable. Answers how to end that. */
export function recreateBudget(scene: Scene, region: string): () => void {
  const { clock } = scene.world;
  const server = scene.world.server(region);
  let timer: Timer | undefined;
  let maxUnavailable = 1;
  const again = (): void => {
    timer = clock.schedule(3_000, again);
    const stored = server.find(simResources.podDisruptionBudgets, namespace, clusterName);
    if (!stored) return;
    clock.wakePromises();
    maxUnavailable = 3 - maxUnavailable;
    const { name, labels, ownerReferences } = stored.metadata;
    server.handle({ method: 'DELETE', path: paths.budget(clusterName), user });
    const spec = { ...(stored as DisruptionBudget).spec, maxUnavailable };
    const metadata = { name, namespace, ...(labels && { labels }), ...(ownerReferences && { ownerReferences }) };
    const body = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata, spec };
    server.handle({ method: 'POST', path: paths.budget('').replace(/\/$/, ''), body, user });
  };
  again();
  return () => timer?.cancel();
}

/** The user takes a node out of a member by hand, and CassKop shrinks the StatefulSet as if it had decommissioned it. */
export function shrinkWithoutDecommission(scene: Scene, region: string): void {
  const simulated = scene.world.region(region);
  simulated.stopCasskop();
  const nodes = (scene.statefulSet(region)?.spec.replicas ?? 0) - 1;
  scene.editMember(region, { topology: scene.topology(region, nodes) });
  patchAs(scene, region, paths.statefulSet(`${clusterName}-${region}-rack1`), { spec: { replicas: nodes } });
  simulated.startCasskop();
}

/**
 * The user takes a node out of a member by hand; CassKop decommissions it, shrinks the StatefulSet and dies before it
 * notes that. What it stored last stays for ever: a ScaleDown that is still to be done.
 */
export async function stopAtScaleDownToDo(scene: Scene, region: string): Promise<void> {
  const server = scene.world.server(region);
  const nodes = (scene.statefulSet(region)?.spec.replicas ?? 0) - 1;
  const simulated = scene.world.region(region);
  const stop = server.onChange(({ resource, object }) => {
    if (resource === resources.statefulSets && (object as StatefulSet).spec.replicas === nodes) simulated.stopCasskop();
  });
  scene.editMember(region, { topology: scene.topology(region, nodes) });
  await scene.until('the smaller StatefulSet', () => scene.statefulSet(region)?.spec.replicas === nodes);
  stop();
  const key = `${region}-rack1`;
  patchAs(scene, region, paths.memberStatus, {
    status: {
      lastClusterAction: 'ScaleDown',
      lastClusterActionStatus: 'ToDo',
      cassandraRackStatus: {
        [key]: {
          phase: 'Pending',
          cassandraLastAction: { name: 'ScaleDown', status: 'ToDo' },
          podLastOperation: { name: 'decommission', status: 'ToDo', pods: null, podsOK: null },
        },
      },
    },
  });
}

export function patchAs(scene: Scene, region: string, path: string, body: object): void {
  scene.world.clock.wakePromises();
  const { status, body: answer } = scene.world.server(region).handle({
    method: 'PATCH',
    path,
    contentType: 'application/merge-patch+json',
    body,
    user,
  });
  assert.ok(status < 300, JSON.stringify(answer));
}
