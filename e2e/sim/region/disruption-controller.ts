import type { ObjectChange } from '../api/request.ts';
import { kinds, type ClusterAccess } from './cluster-access.ts';
import type { PendingWork } from './pending-work.ts';
import { controllerOf, hasLabels, isPodReady, type DisruptionBudget } from './workload-objects.ts';

/** The disruption controller for budgets with a whole `maxUnavailable`, as CassKop makes them. */
export class DisruptionController {
  readonly #access: ClusterAccess;
  readonly #work: PendingWork;

  constructor(access: ClusterAccess, work: (sync: (namespace: string) => void) => PendingWork) {
    this.#access = access;
    this.#work = work((namespace) => this.#sync(namespace));
  }

  see(change: ObjectChange): void {
    const { resource, object } = change;
    if (resource !== kinds.pods && resource !== kinds.statefulSets && resource !== kinds.budgets) return;
    if (!this.#access.isOwn(change)) this.#work.add(object.metadata.namespace ?? '');
  }

  stop(): void {
    this.#work.cancel();
  }

  #sync(namespace: string): void {
    for (const budget of this.#access.all(kinds.budgets, namespace)) this.#count(budget, namespace);
  }

  #count(budget: DisruptionBudget, namespace: string): void {
    const selector = budget.spec.selector?.matchLabels ?? {};
    const owners = new Set<string>();
    let currentHealthy = 0;
    for (const pod of this.#access.all(kinds.pods, namespace)) {
      if (!hasLabels(pod, selector)) continue;
      const owner = controllerOf(pod);
      if (owner !== undefined) owners.add(owner);
      if (pod.metadata.deletionTimestamp === undefined && isPodReady(pod)) currentHealthy++;
    }
    let expectedPods = 0;
    for (const { metadata, spec } of this.#access.all(kinds.statefulSets, namespace)) {
      if (owners.has(metadata.uid)) expectedPods += spec.replicas;
    }
    const desiredHealthy = Math.max(0, expectedPods - (budget.spec.maxUnavailable ?? 0));
    const disruptionsAllowed = expectedPods === 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy);
    const observedGeneration = budget.metadata.generation ?? 0;
    const status = { observedGeneration, disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods };
    const before = budget.status;
    if (before && Object.entries(status).every(([name, value]) => before[name] === value)) return;
    this.#access.putStatus(kinds.budgets, budget, status);
  }
}
