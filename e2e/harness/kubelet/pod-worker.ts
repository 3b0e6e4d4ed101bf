import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ApiError } from '../api-server.ts';
import { runBootstrap } from './bootstrap.ts';
import { resolveEnvironment, type Placement } from './environment.ts';
import type { KubeletContext } from './kubelet.ts';
import type { NodeKind } from './node-process.ts';
import { sayThatItEnded } from './last-words.ts';
import { NodeRunner } from './node-runner.ts';
import { datacenterLabel, podPath, rackLabel, type ConfigMap, type Container, type Pod } from './objects.ts';
import {
  bootstrapName,
  cannotBePulled,
  imagePullBackOff,
  nodeName,
  restartDelayMs,
  terminated,
  timestamp,
  type ContainerRecord,
  type PodRecord,
} from './pod-status.ts';
import { Sandbox } from './sandbox.ts';
import { StatusPublisher } from './status-publisher.ts';
import { showConfigMap } from './volumes.ts';

/** A namespace with this label runs the kind of node that it names, whatever the run's default is. */
const nodesLabel = 'harness.ringmaster.dev/nodes';

const retryDelayMs = 500;
const terminationMs = 10_000;

/** The ConfigMap of the guard, as CassKop mounts it. */
const configMapMountPath = '/configmap';

/**
 * One pod, from its binding to its end: place, volumes, init container, node, readiness. It goes on until the pod is
 * deleted; whatever fails on the way is in the pod's status and tried again.
 */
export class PodWorker {
  readonly #context: KubeletContext;
  readonly #life = new AbortController();
  readonly #publisher: StatusPublisher;
  readonly #directory: string;
  #pod: Pod;
  #record: PodRecord;
  #node: NodeRunner | undefined;
  #configMap: { name: string; directory: string } | undefined;
  readonly #finished: Promise<void>;
  #terminating = false;

  constructor(context: KubeletContext, pod: Pod) {
    this.#context = context;
    this.#pod = pod;
    this.#directory = join(context.podsDirectory, `${pod.metadata.namespace}_${pod.metadata.name}_${pod.metadata.uid}`);
    this.#publisher = new StatusPublisher(context.api, pod, this.#life.signal);
    const waiting: ContainerRecord = { state: { waiting: { reason: 'PodInitializing' } }, restarts: 0, ready: false };
    this.#record = { placement: undefined, startedAt: timestamp(), bootstrap: waiting, node: waiting };
    this.#finished = this.#live(this.#life.signal);
  }

  get pod(): Pod {
    return this.#pod;
  }

  /** Set once the pod has an address. */
  get placement(): Placement | undefined {
    return this.#record.placement;
  }

  /** The object changed. */
  see(pod: Pod): void {
    this.#pod = pod;
    this.#publisher.see(pod);
    if (pod.metadata.deletionTimestamp && !this.#terminating) void this.#terminate();
  }

  /** A ConfigMap changed; a kubelet takes up to a minute to show that, this one none. */
  seeConfigMap(configMap: ConfigMap): void {
    const { namespace, name } = configMap.metadata;
    if (namespace === this.#pod.metadata.namespace && name === this.#configMap?.name)
      showConfigMap(this.#configMap.directory, configMap);
  }

  /** The object is gone: ends what is left at once, and forgets the pod. */
  async gone(): Promise<void> {
    this.#life.abort(new Error('the pod is gone'));
    this.#node?.kill();
    await this.#finished;
    const address = this.#record.placement?.podAddress;
    if (address !== undefined) this.#context.addresses.giveBack(address);
    // What the pod said stays, for the one who asks why it failed.
    for (const name of ['conf', 'empty', 'configmap', 'sandbox'])
      rmSync(join(this.#directory, name), { recursive: true, force: true });
  }

  async #terminate(): Promise<void> {
    this.#terminating = true;
    this.#life.abort(new Error('the pod is being deleted'));
    await this.#node?.stop(Math.min(terminationMs, (this.#pod.spec.terminationGracePeriodSeconds ?? 30) * 1000));
    await this.#finished;
    const { signal } = this.#context;
    const preconditions = { uid: this.#pod.metadata.uid };
    await this.#persist('deleting it', signal, async () => {
      try {
        await sayThatItEnded(this.#context.api, this.#pod, this.#record, signal);
        await this.#context.api.delete(podPath(this.#pod), { gracePeriodSeconds: 0, preconditions }, signal);
      } catch (error) {
        if (!(error instanceof ApiError && (error.status === 404 || error.status === 409))) throw error;
      }
    });
  }

  async #live(signal: AbortSignal): Promise<void> {
    try {
      await this.#run(signal);
    } catch (error) {
      if (!signal.aborted) console.log(`${podPath(this.#pod)}: ${(error as Error).stack}`);
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    mkdirSync(this.#directory, { recursive: true });
    await this.#persist('binding it', signal, () => this.#bind(signal));
    const placement = { podAddress: this.#context.addresses.take(), hostAddress: this.#context.hostAddress };
    this.#update({ placement });
    this.#context.publishNames();
    const dataDirectory = await this.#persist('its volume', signal, () => this.#provideData(signal));
    const sandbox = new Sandbox(this.#pod, placement.podAddress, join(this.#directory, 'sandbox'));
    const environment = await this.#initialize(placement, dataDirectory, sandbox, signal);
    await this.#runNode(environment, placement, dataDirectory, sandbox, signal);
  }

  async #bind(signal: AbortSignal): Promise<void> {
    if (this.#pod.spec.nodeName !== undefined) return;
    const { name, uid } = this.#pod.metadata;
    try {
      await this.#context.api.post(
        `${podPath(this.#pod)}/binding`,
        {
          apiVersion: 'v1',
          kind: 'Binding',
          metadata: { name, uid },
          target: { apiVersion: 'v1', kind: 'Node', name: this.#context.nodeName },
        },
        signal,
      );
    } catch (error) {
      // Bound already, by the attempt whose answer was lost.
      if (!(error instanceof ApiError && error.status === 409)) throw error;
    }
  }

  /** The directory of the first claim that container `cassandra` mounts; an empty one without a claim. */
  async #provideData(signal: AbortSignal): Promise<string> {
    const { volumes = [] } = this.#pod.spec;
    const mounts = this.#nodeContainer()?.volumeMounts ?? [];
    const directories = new Map<string, string>();
    for (const { name, persistentVolumeClaim } of volumes)
      if (persistentVolumeClaim)
        directories.set(
          name,
          await this.#context.volumes.provide(this.#pod.metadata.namespace, persistentVolumeClaim.claimName, signal),
        );
    const data = mounts.find(({ name, mountPath }) => directories.has(name) && mountPath === '/var/lib/cassandra');
    const directory = data ? directories.get(data.name) : undefined;
    return directory ?? join(this.#directory, 'empty');
  }

  /** Runs the init container until it succeeds; resolves with its environment. */
  async #initialize(
    placement: Placement,
    dataDirectory: string,
    sandbox: Sandbox,
    signal: AbortSignal,
  ): Promise<Record<string, string>> {
    const container =
      this.#pod.spec.initContainers?.find(({ name }) => name === bootstrapName) ?? this.#nodeContainer();
    const bad = this.#pod.spec.initContainers?.find(cannotBePulled);
    if (!container || bad) return untilAborted(signal);
    const confDirectory = join(this.#directory, 'conf');
    for (let attempt = 0; ; attempt += 1) {
      const environment = await this.#persist('its environment', signal, () =>
        resolveEnvironment(this.#context.api, this.#pod, container, placement, signal),
      );
      const configMapDirectory = await this.#persist('its ConfigMap', signal, () => this.#mount(container, signal));
      const startedAt = timestamp();
      this.#update({ bootstrap: { ...this.#record.bootstrap, state: { running: { startedAt } } } });
      const exitCode = await runBootstrap(
        {
          environment,
          configMapDirectory,
          confDirectory,
          dataDirectory,
          toolsDirectory: this.#context.probeTools,
          namespace: this.#pod.metadata.namespace,
          podAddress: placement.podAddress,
          sandbox,
          zone: this.#context.zone,
          log: join(this.#directory, 'bootstrap.log'),
        },
        signal,
      );
      signal.throwIfAborted();
      const state = terminated(exitCode, startedAt);
      if (exitCode === 0) {
        this.#update({ bootstrap: { ...this.#record.bootstrap, state, ready: true } });
        return environment;
      }
      const { restarts } = this.#record.bootstrap;
      this.#update({ bootstrap: { ...this.#record.bootstrap, state } });
      await delay(restartDelayMs(attempt), undefined, { signal });
      this.#update({ bootstrap: { state, last: state, restarts: restarts + 1, ready: false } });
    }
  }

  async #runNode(
    environment: Record<string, string>,
    placement: Placement,
    dataDirectory: string,
    sandbox: Sandbox,
    signal: AbortSignal,
  ): Promise<void> {
    const container = this.#nodeContainer();
    if (!container) return;
    if (cannotBePulled(container)) {
      this.#update({ node: { ...this.#record.node, state: imagePullBackOff(container) } });
      return untilAborted(signal);
    }
    const labels = this.#pod.metadata.labels ?? {};
    const confDirectory = join(this.#directory, 'conf');
    const authenticated = environment['CASSANDRA_AUTH_JOLOKIA'] === 'true';
    const own = await this.#persist('its environment', signal, () =>
      resolveEnvironment(this.#context.api, this.#pod, container, placement, signal),
    );
    this.#node = new NodeRunner(
      {
        kind: await this.#persist('its namespace', signal, () => this.#nodeKind(signal)),
        clusterName: environment['CASSANDRA_CLUSTER_NAME'] ?? 'cassandra',
        datacenter: labels[datacenterLabel] ?? 'dc1',
        rack: labels[rackLabel] ?? 'rack1',
        address: placement.podAddress,
        confDirectory,
        dataDirectory,
        logDirectory: join(this.#directory, 'logs'),
        credentials: authenticated
          ? { user: environment['JOLOKIA_USER'] ?? '', password: environment['JOLOKIA_PASSWORD'] ?? '' }
          : undefined,
        replaceAddress: environment['CASSANDRA_REPLACE_NODE'],
        extraJvmOptions: own['JVM_EXTRA_OPTS']?.split(/\s+/).filter((option) => option !== '') ?? [],
        cassandra: this.#context.cassandra,
      },
      sandbox,
      { log: join(this.#directory, 'cassandra.log'), pid: join(this.#directory, 'node.pid') },
      (node) => this.#update({ node }),
    );
    await this.#node.run(signal);
  }

  /** Shows the ConfigMap that the container mounts at /configmap; waits for it if it does not exist yet. */
  async #mount(container: Container, signal: AbortSignal): Promise<string | undefined> {
    const mount = container.volumeMounts?.find(({ mountPath }) => mountPath === configMapMountPath);
    const source = this.#pod.spec.volumes?.find(({ name }) => name === mount?.name)?.configMap;
    if (!source) return undefined;
    const path = `/api/v1/namespaces/${this.#pod.metadata.namespace}/configmaps/${source.name}`;
    const directory = join(this.#directory, 'configmap');
    const configMap = source.optional
      ? await this.#context.api.find<ConfigMap>(path, signal)
      : await this.#context.api.get<ConfigMap>(path, signal);
    if (configMap) showConfigMap(directory, configMap);
    this.#configMap = { name: source.name, directory };
    return directory;
  }

  async #nodeKind(signal: AbortSignal): Promise<NodeKind> {
    const namespace = await this.#context.api.get(`/api/v1/namespaces/${this.#pod.metadata.namespace}`, signal);
    const wanted = namespace.metadata.labels?.[nodesLabel];
    return wanted === 'light' || wanted === 'cassandra' ? wanted : this.#context.nodes;
  }

  #nodeContainer(): Container | undefined {
    return this.#pod.spec.containers.find(({ name }) => name === nodeName);
  }

  /** Does `step` until it works; why it does not is in the region's log and, while it waits, in the pod's status. */
  async #persist<T>(what: string, signal: AbortSignal, step: () => Promise<T>): Promise<T> {
    let said = '';
    for (;;) {
      signal.throwIfAborted();
      try {
        return await step();
      } catch (error) {
        signal.throwIfAborted();
        const { message, code } = error as Error & { code?: string };
        if (message !== said) console.log(`${podPath(this.#pod)}: ${what}: ${message}`);
        said = message;
        const reason = code === 'CreateContainerConfigError' ? code : 'PodInitializing';
        if (!this.#terminating && !this.#record.bootstrap.ready)
          this.#update({ bootstrap: { ...this.#record.bootstrap, state: { waiting: { reason, message } } } });
      }
      await delay(retryDelayMs, undefined, { signal });
    }
  }

  #update(change: Partial<PodRecord>): void {
    this.#record = { ...this.#record, ...change };
    this.#publisher.publish(this.#record);
  }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const give = (): void => reject(signal.reason as Error);
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
  });
}
