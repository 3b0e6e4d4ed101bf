import type { Container, Pod, PodCondition } from './workload-objects.ts';

/** A container's state as the API spells it. */
export type ContainerState =
  | { waiting: { reason: string; message?: string } }
  | { running: { startedAt: string } }
  | { terminated: { exitCode: number; reason: string; message?: string; startedAt: string; finishedAt: string } };

/** What the kubelet knows of one container. */
export interface ContainerRecord {
  readonly state: ContainerState;
  readonly last?: ContainerState;
  readonly restarts: number;
  readonly ready: boolean;
}

/** What the kubelet knows of a pod that has an address, or is about to get one; its status follows from that. */
export interface PodRecord {
  readonly address: string | undefined;
  readonly startedAt: string;
  /** The init container `bootstrap`; those before it are done once it runs. */
  readonly bootstrap: ContainerRecord;
  /** Container `cassandra`. */
  readonly node: ContainerRecord;
}

export const bootstrapName = 'bootstrap';
export const nodeName = 'cassandra';
export const initializing: ContainerState = { waiting: { reason: 'PodInitializing' } };

/** An image by this kind of name cannot be pulled. */
export function cannotBePulled({ image = '' }: Container): boolean {
  return image.includes('bad');
}

/** Milliseconds until a container starts again, doubling from one failure to the next. */
export class BackOff {
  readonly #bounds: { first: number; most: number };
  #failures = 0;

  constructor(bounds: { first: number; most: number }) {
    this.#bounds = bounds;
  }

  next(): number {
    return Math.min(this.#bounds.most, this.#bounds.first * 2 ** this.#failures++);
  }

  reset(): void {
    this.#failures = 0;
  }
}

/** The state of a container that has ended. */
export function terminated(exitCode: number, at: string, message?: string): ContainerState {
  const reason = exitCode === 0 ? 'Completed' : 'Error';
  return {
    terminated: { exitCode, reason, ...(message !== undefined && { message }), startedAt: at, finishedAt: at },
  };
}

/** The status of a pod that no machine has room for. */
export function unschedulableStatus(now: string): object {
  const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', lastTransitionTime: now };
  return { phase: 'Pending', conditions: [condition] };
}

/** The pod's status, for PUT pods/status. Times of conditions that did not change stay as they are. */
export function podStatus(pod: Pod, record: PodRecord, now: string): object {
  const { address, bootstrap, node } = record;
  const initialized = 'terminated' in bootstrap.state && bootstrap.state.terminated.exitCode === 0;
  const containers = pod.spec.containers.map((container) =>
    statusOf(container, recordOf(container, record, initialized)),
  );
  const unready = containers.filter((each) => !each.ready).map(({ name }) => name);
  const notReady = { reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` };
  const condition = (type: string, holds: boolean, otherwise: object): PodCondition => {
    const status = holds ? 'True' : 'False';
    const before = pod.status?.conditions?.find((each) => each.type === type);
    if (before?.status === status) return before;
    return { type, status, lastTransitionTime: now, ...(!holds && otherwise) };
  };
  return {
    phase: initialized && !isHeldUp(node.state) ? 'Running' : 'Pending',
    startTime: record.startedAt,
    conditions: [
      condition('PodScheduled', true, {}),
      condition('Initialized', initialized, { reason: 'ContainersNotInitialized' }),
      condition('ContainersReady', unready.length === 0, notReady),
      condition('Ready', unready.length === 0, notReady),
    ],
    ...(address !== undefined && { hostIP: '198.18.255.1', podIP: address, podIPs: [{ ip: address }] }),
    initContainerStatuses: initContainerStatuses(pod.spec.initContainers ?? [], bootstrap),
    containerStatuses: containers,
  };
}

/** A container that never ran keeps its pod Pending; one that crashed does not. */
function isHeldUp(state: ContainerState): boolean {
  return 'waiting' in state && state.waiting.reason !== 'CrashLoopBackOff';
}

function initContainerStatuses(containers: readonly Container[], bootstrap: ContainerRecord): object[] {
  const firstBad = containers.findIndex(cannotBePulled);
  return containers.map((container, index) => {
    if (firstBad !== -1 && index >= firstBad) {
      return statusOf(container, waiting(index === firstBad ? imagePullBackOff(container) : initializing));
    }
    if (container.name === bootstrapName) return statusOf(container, bootstrap);
    return statusOf(container, { state: completed, restarts: 0, ready: true });
  });
}

function recordOf(container: Container, record: PodRecord, initialized: boolean): ContainerRecord {
  if (!initialized) return waiting(initializing);
  if (cannotBePulled(container)) return waiting(imagePullBackOff(container));
  if (container.name === nodeName) return record.node;
  return { state: { running: { startedAt: record.startedAt } }, restarts: 0, ready: true };
}

function waiting(state: ContainerState): ContainerRecord {
  return { state, restarts: 0, ready: false };
}

function imagePullBackOff({ image }: Container): ContainerState {
  return { waiting: { reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}"` } };
}

function statusOf({ name, image }: Container, { state, last, restarts, ready }: ContainerRecord) {
  const started = 'running' in state;
  return { name, image, imageID: image, ready, started, restartCount: restarts, state, lastState: last ?? {} };
}

const epoch = '1970-01-01T00:00:00Z';
const completed: ContainerState = {
  terminated: { exitCode: 0, reason: 'Completed', startedAt: epoch, finishedAt: epoch },
};
