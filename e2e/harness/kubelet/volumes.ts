import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApiError, type ApiServer } from '../api-server.ts';
import type { Claim, ConfigMap } from './objects.ts';

/**
 * Plays the volume provisioner: one PersistentVolume, and one directory, per PersistentVolumeClaim. The directory
 * outlives pods and goes away with the claim.
 */
export class Volumes {
  readonly #api: ApiServer;
  readonly #directory: string;

  constructor(api: ApiServer, directory: string) {
    this.#api = api;
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  /**
   * The claim's data directory; binds the claim if it is not bound yet.
   * @throws Error while there is no such claim, or it is being deleted.
   */
  async provide(namespace: string, claimName: string, signal: AbortSignal): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${claimName}`;
    const claim = await this.#api.get<Claim>(path, signal);
    const { uid } = claim.metadata;
    const volume = volumeName(uid);
    const directory = join(this.#directory, volume);
    if (claim.status?.phase === 'Bound' && claim.spec.volumeName === volume) return directory;
    if (claim.metadata.deletionTimestamp) throw new Error(`claim ${claimName} is being deleted`);
    const capacity = { storage: claim.spec.resources.requests?.storage ?? '1Gi' };
    const { accessModes, storageClassName, volumeMode } = claim.spec;
    mkdirSync(directory, { recursive: true });
    await ignoreConflict(
      this.#api.post(
        '/api/v1/persistentvolumes',
        {
          apiVersion: 'v1',
          kind: 'PersistentVolume',
          metadata: { name: volume },
          spec: {
            capacity,
            accessModes,
            persistentVolumeReclaimPolicy: 'Delete',
            ...(storageClassName !== undefined && { storageClassName }),
            ...(volumeMode !== undefined && { volumeMode }),
            hostPath: { path: directory },
            claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name: claimName, uid },
          },
        },
        signal,
      ),
    );
    const bound = { status: { phase: 'Bound' } };
    await this.#api.patch(`/api/v1/persistentvolumes/${volume}/status`, 'merge', bound, signal);
    await this.#api.patch(path, 'merge', { metadata: { uid }, spec: { volumeName: volume } }, signal);
    await this.#api.patch(`${path}/status`, 'merge', { status: { phase: 'Bound', capacity, accessModes } }, signal);
    return directory;
  }

  /** Gives a bound claim the room that it asks for by now, as a provisioner does that can expand volumes. */
  async grow({ metadata, spec, status }: Claim, signal: AbortSignal): Promise<void> {
    const wanted = spec.resources.requests?.storage;
    if (status?.phase !== 'Bound' || wanted === undefined || status.capacity?.storage === wanted) return;
    const capacity = { storage: wanted };
    await this.#api.patch(`/api/v1/persistentvolumes/${spec.volumeName}`, 'merge', { spec: { capacity } }, signal);
    const path = `/api/v1/namespaces/${metadata.namespace}/persistentvolumeclaims/${metadata.name}/status`;
    await this.#api.patch(path, 'merge', { metadata: { uid: metadata.uid }, status: { capacity } }, signal);
  }

  /** Removes the volume of a claim that is gone, and its data. */
  async remove(claim: Claim, signal: AbortSignal): Promise<void> {
    const volume = volumeName(claim.metadata.uid);
    rmSync(join(this.#directory, volume), { recursive: true, force: true, maxRetries: 5 });
    const path = `/api/v1/persistentvolumes/${volume}`;
    try {
      // A volume that is Bound is protected from deletion.
      await this.#api.patch(`${path}/status`, 'merge', { status: { phase: 'Released' } }, signal);
      await this.#api.delete(path, {}, signal);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    }
  }
}

function volumeName(claimUid: string): string {
  return `pvc-${claimUid}`;
}

async function ignoreConflict(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 409)) throw error;
  }
}

/**
 * Makes a directory show a ConfigMap: one executable file per key (CassKop mounts it with mode 0755). Each file is
 * replaced at once, so that a script that is being read, or run, stays whole.
 */
export function showConfigMap(directory: string, configMap: ConfigMap): void {
  mkdirSync(directory, { recursive: true });
  const files = new Map<string, string | Buffer>(Object.entries(configMap.data ?? {}));
  for (const [key, value] of Object.entries(configMap.binaryData ?? {})) files.set(key, Buffer.from(value, 'base64'));
  for (const name of readdirSync(directory)) if (!files.has(name)) rmSync(join(directory, name));
  for (const [name, content] of files) {
    const temporary = join(directory, `..${name}`);
    writeFileSync(temporary, content, { mode: 0o755 });
    renameSync(temporary, join(directory, name));
  }
}
