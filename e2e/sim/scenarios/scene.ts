import assert from 'node:assert/strict';
import type { Condition, RegionStatus } from '../../../src/api/schema.ts';
import { resources, type KubeObject, type ResourceType } from '../../../src/kube/objects.ts';
import { casskop } from '../../../src/operators/casskop/casskop.ts';
import { conditionOf, specOf as memberSpecOf, statusOf, type MemberSpec } from '../invariants/reading.ts';
import type { CassandraNode } from '../region/cassandra/node.ts';
import type { Claim, Pod, StatefulSet } from '../region/workload-objects.ts';
import type { Action, Shape } from '../schedule/history.ts';
import { perform } from '../schedule/perform.ts';
import { followAdvice } from '../world/repair.ts';
import { clusterName, memberPath, namespace } from '../world/user.ts';
import { World } from '../world/world.ts';

/** Regions by name, with what differs from one rack of one node. */
export type SceneRegions = Readonly<Record<string, { readonly nodesPerRacks?: number; readonly racks?: number }>>;

/** CassKop's status, as far as scenes read it. */
export interface MemberStatus {
  phase?: string;
  lastClusterAction?: string;
  lastClusterActionStatus?: string;
  seedlist?: string[];
  cassandraRackStatus?: Record<string, { cassandraLastAction?: { name?: string; status?: string } }>;
}

const formationMs = 1_800_000;
const settlingMs = 60_000;
const silenceMs = 90_000;
const adviceEveryMs = 30_000;

/** A world in which one thing happens, and what its user can see of it. */
export class Scene {
  readonly world: World;
  readonly #writes: string[] = [];
  #forced: string | undefined;

  /** A controller runs; nothing is applied yet. */
  constructor(regions: SceneRegions = { eu: {}, us: {} }, options: { guardWaitSeconds?: number } = {}) {
    const shape: Shape = {
      regions: Object.entries(regions).map(([name, { nodesPerRacks = 1, racks = 1 }]) => ({
        name,
        nodesPerRacks,
        racks,
      })),
      hub: 'hub',
      latencyMs: { least: 1, most: 20 },
      guardWaitSeconds: options.guardWaitSeconds ?? 60,
    };
    this.world = new World(1, shape, { keepTimeline: true });
    for (const { name } of shape.regions) {
      this.world.server(name).onChange(({ user, type, resource, object, request }) => {
        if (!user.startsWith('controller')) return;
        const part = request?.path.split('?')[0]?.endsWith('/status') ? '/status' : '';
        this.#writes.push(`${name}: ${type} ${resource.plural} ${object.metadata.name}${part}`);
      });
    }
    this.world.startController();
  }

  /** A federation that is Ready and at rest. */
  static async formed(...options: ConstructorParameters<typeof Scene>): Promise<Scene> {
    const scene = new Scene(...options);
    scene.apply();
    await scene.ready();
    await scene.pass(settlingMs);
    return scene;
  }

  /** Applies the user's spec, changed by `spec`, or its template's spec by `template`. */
  apply(changes: { spec?: object; template?: object } = {}): void {
    const { user } = this.world;
    const template = user.spec['template'] as { spec: object };
    user.spec = {
      ...user.spec,
      ...(changes.template && { template: { spec: { ...template.spec, ...changes.template } } }),
      ...changes.spec,
    };
    const { status, body } = user.apply();
    assert.ok(status < 300, JSON.stringify(body));
  }

  perform(action: Action): void {
    perform(this.world, action);
  }

  /** Whoever misbehaves in this scene breaks the invariant of this name, and that is not Ringmaster's doing. */
  force(invariant: string): void {
    this.#forced = invariant;
  }

  /** Lets time pass, milliseconds. */
  async pass(milliseconds: number): Promise<void> {
    await this.world.clock.run(milliseconds, () => this.#isViolated);
    this.assertNothingViolated();
  }

  /** Lets time pass until `condition` holds. */
  async until(what: string, condition: () => boolean, limitMs = formationMs): Promise<void> {
    const { world } = this;
    const isThere = await world.clock.run(limitMs, () => this.#isViolated || condition());
    this.assertNothingViolated();
    assert.ok(isThere && condition(), `${what} did not come about. ${this.#whatIs()}`);
  }

  /** Until the status says Ready=True of the present spec. */
  ready(limitMs?: number): Promise<void> {
    return this.until('Ready=True', () => this.isReady, limitMs);
  }

  /** Does what the conditions tell a person to do, until the status says Ready=True. */
  async readyByAdvice(): Promise<void> {
    for (let waited = 0; waited < formationMs && !this.isReady; waited += adviceEveryMs) {
      followAdvice(this.world);
      await this.world.clock.run(adviceEveryMs, () => this.#isViolated || this.isReady);
    }
    await this.ready(1);
  }

  /** Until a condition of the whole, or of one region, is so. */
  untilCondition(type: string, status: string, reason: string, region?: string): Promise<void> {
    const what = `${region === undefined ? '' : `${region}: `}${type}=${status} (${reason})`;
    return this.until(what, () => {
      const found = this.condition(type, region);
      return found?.status === status && found.reason === reason;
    });
  }

  /** In the end: everything is right, nothing more is written, no invariant was ever broken. Ends the controller. */
  async end(): Promise<void> {
    const { world } = this;
    await this.ready();
    world.quietSinceMs = world.clock.monotonic() + settlingMs;
    await this.pass(settlingMs + silenceMs);
    world.inspection.onRest();
    this.close();
  }

  /** Ends the controller where things stay as they are, and no invariant was ever broken. */
  close(): void {
    this.assertNothingViolated();
    for (const process of this.world.controllers.slice()) this.world.endController(process, 'kill');
  }

  assertNothingViolated(): void {
    if (this.#isViolated) assert.fail(`${this.world.violation?.sentence}\n${this.#whatIs()}`);
  }

  get #isViolated(): boolean {
    const { violation } = this.world;
    return violation !== undefined && violation.invariant !== this.#forced;
  }

  get isReady(): boolean {
    const { mcc } = this.world.user;
    return (
      conditionOf(mcc, 'Ready')?.status === 'True' && statusOf(mcc).observedGeneration === mcc?.metadata.generation
    );
  }

  /** A condition of the whole, or of one region. */
  condition(type: string, region?: string): Condition | undefined {
    const { conditions } = region === undefined ? statusOf(this.world.user.mcc) : (this.regionStatus(region) ?? {});
    return conditions?.find((each) => each.type === type);
  }

  regionStatus(region: string): RegionStatus | undefined {
    return statusOf(this.world.user.mcc).regions?.find(({ name }) => name === region);
  }

  /** What controllers have changed in the regions since this was last asked, in order. */
  takeWrites(): string[] {
    return this.#writes.splice(0);
  }

  /** How many rings were ever founded. */
  get foundings(): number {
    return this.world.ring.foundings.length;
  }

  find(region: string, resource: ResourceType, name: string): KubeObject | undefined {
    return this.world.server(region).find(resource, namespace, name);
  }

  member(region: string): KubeObject | undefined {
    return this.find(region, casskop.member, clusterName);
  }

  memberSpec(region: string): MemberSpec {
    return memberSpecOf(this.member(region));
  }

  memberStatus(region: string): MemberStatus {
    return this.member(region)?.['status'] ?? {};
  }

  statefulSet(region: string, rack = 'rack1'): StatefulSet | undefined {
    return this.find(region, resources.statefulSets, `${clusterName}-${region}-${rack}`) as StatefulSet | undefined;
  }

  podName(region: string, ordinal = 0, rack = 'rack1'): string {
    return `${clusterName}-${region}-${rack}-${ordinal}`;
  }

  pod(region: string, ordinal = 0, rack = 'rack1'): Pod | undefined {
    return this.find(region, resources.pods, this.podName(region, ordinal, rack)) as Pod | undefined;
  }

  claim(region: string, ordinal = 0, rack = 'rack1'): Claim | undefined {
    const name = `data-${this.podName(region, ordinal, rack)}`;
    return this.find(region, resources.persistentVolumeClaims, name) as Claim | undefined;
  }

  node(region: string, ordinal = 0, rack = 'rack1'): CassandraNode {
    const node = this.world.region(region).nodeOf(this.podName(region, ordinal, rack));
    assert.ok(node, `${this.podName(region, ordinal, rack)} runs nothing`);
    return node;
  }

  /** The hosts of the ring as a region's first node sees them, sorted. */
  hostsSeenFrom(region: string): string[] {
    return this.node(region)
      .view.ring.map(({ hostId }) => hostId)
      .sort();
  }

  /** The topology of a region's member with so many nodes in each rack. */
  topology(region: string, nodesPerRacks: number): object {
    const { racks = 1 } = this.world.shape.regions.find(({ name }) => name === region) ?? {};
    const rack = Array.from({ length: racks }, (_, index) => ({ name: `rack${index + 1}` }));
    return { dc: [{ name: region, nodesPerRacks, rack }] };
  }

  /** `kubectl patch` of a region's member by hand. */
  editMember(region: string, spec: object): void {
    this.patch(region, memberPath, { spec });
  }

  /** A merge patch by hand. */
  patch(region: string, path: string, body: object): void {
    const { user, clock } = this.world;
    clock.wakePromises();
    const answer = user.patch(this.world.server(region), path, 'merge', body);
    assert.ok(answer.status < 300, JSON.stringify(answer.body));
  }

  /** `kubectl delete` of something in a region. */
  delete(region: string, path: string): void {
    const { user, clock } = this.world;
    clock.wakePromises();
    const answer = user.delete(this.world.server(region), path);
    assert.ok(answer.status < 300, JSON.stringify(answer.body));
  }

  #whatIs(): string {
    const { mcc } = this.world.user;
    const { conditions = [], regions = [] } = statusOf(mcc);
    const lines = [
      ...conditions.map(({ type, status, reason, message }) => `${type}=${status} ${reason}: ${message}`),
      ...regions.flatMap(({ name, conditions: own = [] }) =>
        own.map(({ type, status, reason, message }) => `${name} ${type}=${status} ${reason}: ${message}`),
      ),
      ...this.world.timeline.toString().split('\n').slice(-25),
    ];
    return lines.join('\n');
  }
}

/** Paths of a region's objects, as a person with kubectl names them. */
export const paths = {
  member: memberPath,
  memberStatus: `${memberPath}/status`,
  pod: (name: string) => `/api/v1/namespaces/${namespace}/pods/${name}`,
  claim: (name: string) => `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${name}`,
  service: (name: string) => `/api/v1/namespaces/${namespace}/services/${name}`,
  statefulSet: (name: string) => `/apis/apps/v1/namespaces/${namespace}/statefulsets/${name}`,
  budget: (name: string) => `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets/${name}`,
};
