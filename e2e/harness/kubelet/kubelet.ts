import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ApiError, type ApiServer } from '../api-server.ts';
import type { Zone } from '../dns/zone.ts';
import type { CassandraPrograms } from '../toolchain.ts';
import { AddressPool } from './addresses.ts';
import type { NodeKind } from './node-process.ts';
import { datacenterLabel, type Claim, type ConfigMap, type Pod } from './objects.ts';
import { PodWorker } from './pod-worker.ts';
import { Volumes } from './volumes.ts';
import { follow } from './watch.ts';

export interface KubeletOptions {
  readonly region: string;
  readonly api: ApiServer;
  readonly zone: Zone;
  /** Holds volumes and one directory per pod. */
  readonly directory: string;
  /** Given as hostIP. */
  readonly hostAddress: string;
  readonly podAddresses: readonly string[];
  /** What a pod runs whose namespace does not say. */
  readonly nodes: NodeKind;
  /** Absent when only light nodes are wanted. */
  readonly cassandra: CassandraPrograms | undefined;
  readonly probeTools: string;
}

/** What a pod's worker shares with all others of the region. */
export interface KubeletContext extends Pick<
  KubeletOptions,
  'api' | 'zone' | 'hostAddress' | 'nodes' | 'cassandra' | 'probeTools'
> {
  readonly nodeName: string;
  readonly podsDirectory: string;
  readonly addresses: AddressPool;
  readonly volumes: Volumes;
  readonly signal: AbortSignal;
  /** Tells the zone about every pod's address. */
  publishNames(): void;
}

/**
 * Scheduler, kubelet, volume provisioner and ExternalDNS of one region in one: it runs every pod of a CassandraCluster
 * as a process of this machine, and ignores all others. Resolves when `signal` aborts.
 */
export async function runKubelet(options: KubeletOptions, signal: AbortSignal): Promise<void> {
  const { api, directory, region, zone } = options;
  const podsDirectory = join(directory, 'pods');
  mkdirSync(podsDirectory, { recursive: true });
  const workers = new Map<string, PodWorker>();
  const volumes = new Volumes(api, join(directory, 'volumes'));
  const publishNames = (): void =>
    zone.publish(
      [...workers.values()].flatMap(({ pod, placement }) =>
        placement
          ? [
              {
                namespace: pod.metadata.namespace,
                pod: pod.spec.hostname ?? pod.metadata.name,
                service: pod.spec.subdomain,
                address: placement.podAddress,
              },
            ]
          : [],
      ),
    );
  const context: KubeletContext = {
    ...options,
    nodeName: `node-${region}`,
    podsDirectory,
    addresses: new AddressPool(options.podAddresses),
    volumes,
    signal,
    publishNames,
  };

  const onPod = (pod: Pod, gone: boolean): void => {
    const { uid, labels, deletionTimestamp } = pod.metadata;
    const worker = workers.get(uid);
    if (gone) {
      workers.delete(uid);
      publishNames();
      void worker?.gone();
    } else if (worker) worker.see(pod);
    else if (labels?.[datacenterLabel] !== undefined) {
      const created = new PodWorker(context, pod);
      workers.set(uid, created);
      if (deletionTimestamp) created.see(pod);
    }
  };
  const onConfigMap = (configMap: ConfigMap, gone: boolean): void => {
    if (!gone) for (const worker of workers.values()) worker.seeConfigMap(configMap);
  };
  const onClaim = (claim: Claim, gone: boolean): void => {
    const [what, work] = gone
      ? ['removing the volume of', volumes.remove(claim, signal)]
      : ['growing the volume of', volumes.grow(claim, signal)];
    work.catch((error: unknown) => {
      if (!signal.aborted) console.log(`${what} ${claim.metadata.name}: ${(error as Error).message}`);
    });
  };

  await registerNode(api, context, signal);
  await Promise.all([
    follow<Pod>(api, '/api/v1/pods', onPod, signal),
    follow<ConfigMap>(api, '/api/v1/configmaps', onConfigMap, signal),
    follow<Claim>(api, '/api/v1/persistentvolumeclaims', onClaim, signal),
  ]);
}

async function registerNode(api: ApiServer, context: KubeletContext, signal: AbortSignal): Promise<void> {
  const name = context.nodeName;
  const conditions = [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }];
  const addresses = [{ type: 'InternalIP', address: context.hostAddress }];
  for (;;) {
    try {
      await api.post('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name } }, signal);
      await api.patch(`/api/v1/nodes/${name}/status`, 'merge', { status: { conditions, addresses } }, signal);
      return;
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) return;
      if (signal.aborted) throw error;
      await delay(500, undefined, { signal });
    }
  }
}
