import type { Condition, Container, Pod } from './objects.ts';
import type { Placement } from './environment.ts';

/** A container's state as the API spells it. */
export type ContainerState =
  | { waiting: { reason: string; message?: string } }
  | { running: { startedAt: string } }
  | { terminated: { exitCode: number; reason: string; startedAt: string; finishedAt: string } };

const restartDelayFirstMs = 1_000;
const restartDelayMaxMs = 10_000;

/** Milliseconds until a container starts again after its n-th failure, counted from 0: 1, 2, 4, 8, then 10 s. */
export function restartDelayMs(failures: number): number {
  return Math.min(restartDelayFirstMs * 2 ** failures, restartDelayMaxMs);
}

/** Now, as the API writes times. */
export function timestamp(): string {
  return new Date().toISOString().replace(/\.\d+/, '');
}

export function terminated(exitCode: number, startedAt: string): ContainerState {
  const reason = exitCode === 0 ? 'Completed' : 'Error';
  return { terminated: { exitCode, reason, startedAt, finishedAt: timestamp() } };
}

/** What the kubelet knows of one container. */
export interface ContainerRecord {
  readonly state: ContainerState;
  readonly last?: ContainerState;
  readonly restarts: number;
  readonly ready: boolean;
}

/** What the kubelet knows of a pod, from which its status follows. */
export interface PodRecord {
  readonly placement: Placement | undefined;
  readonly startedAt: string;
  /** The init container `bootstrap`, or the only step before the containers when there is none. */
  readonly bootstrap: ContainerRecord;
  /** Container `cassandra`. */
  readonly node: ContainerRecord;
}

export const bootstrapName = 'bootstrap';
export const nodeName = 'cassandra';

/** An image by this kind of name cannot be pulled, so that tests can ask for one that does not exist. */
export function cannotBePulled({ image }: Container): boolean {
  return image.includes('does-not-exist');
}

/** The state of a container whose image cannot be pulled. */
export function imagePullBackOff({ image }: Container): ContainerState {
  return { waiting: { reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}"` } };
}

/** The body for PATCH pods/status. Times of conditions that did not change are kept from the pod's present status. */
export function podStatus(pod: Pod, record: PodRecord, now: string): object {
  const { placement, bootstrap, node } = record;
  const initialized = 'terminated' in bootstrap.state && bootstrap.state.terminated.exitCode === 0;
  const containers = pod.spec.containers.map((container) =>
    containerStatus(container, containerRecord(container, record, initialized)),
  );
  const ready = initialized && containers.every((each) => each.ready);
  const conditions = (
    [
      ['PodScheduled', true],
      ['Initialized', initialized],
      ['ContainersReady', ready],
      ['Ready', ready],
    ] as const
  ).map(([type, holds]): Condition => {
    const status = holds ? 'True' : 'False';
    const before = pod.status?.conditions?.find((each) => each.type === type);
    return before?.status === status ? before : { type, status, lastTransitionTime: now };
  });
  const others = pod.status?.conditions?.filter(({ type }) => !conditions.some((each) => each.type === type)) ?? [];
  return {
    status: {
      phase: initialized && !('waiting' in node.state) ? 'Running' : 'Pending',
      startTime: record.startedAt,
      conditions: [...conditions, ...others],
      ...(placement && {
        hostIP: placement.hostAddress,
        podIP: placement.podAddress,
        podIPs: [{ ip: placement.podAddress }],
      }),
      initContainerStatuses: initContainerStatuses(pod, bootstrap),
      containerStatuses: containers,
    },
  };
}

/** Init containers run in order: those before `bootstrap` are done once it is more than waiting for its turn. */
function initContainerStatuses(pod: Pod, bootstrap: ContainerRecord): object[] {
  const all = pod.spec.initContainers ?? [];
  const firstBad = all.findIndex(cannotBePulled);
  return all.map((container, index) => {
    if (firstBad !== -1 && index >= firstBad) {
      const state = index === firstBad ? imagePullBackOff(container) : initializing;
      return containerStatus(container, { state, restarts: 0, ready: false });
    }
    if (container.name === bootstrapName) return containerStatus(container, bootstrap);
    return containerStatus(container, { state: completed, restarts: 0, ready: true });
  });
}

function containerRecord(container: Container, record: PodRecord, initialized: boolean): ContainerRecord {
  if (!initialized) return { state: initializing, restarts: 0, ready: false };
  if (container.name === nodeName) return record.node;
  if (cannotBePulled(container)) return { state: imagePullBackOff(container), restarts: 0, ready: false };
  return { state: { running: { startedAt: record.startedAt } }, restarts: 0, ready: true };
}

function containerStatus({ name, image }: Container, { state, last, restarts, ready }: ContainerRecord) {
  const started = 'running' in state;
  return { name, image, imageID: image, ready, started, restartCount: restarts, state, lastState: last ?? {} };
}

const initializing: ContainerState = { waiting: { reason: 'PodInitializing' } };
const epoch = '1970-01-01T00:00:00Z';
const completed: ContainerState = {
  terminated: { exitCode: 0, reason: 'Completed', startedAt: epoch, finishedAt: epoch },
};
