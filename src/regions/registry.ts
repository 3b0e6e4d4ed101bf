import type { RegionHandle } from './region-handle.ts';

/** A region that is registered and cannot be used. */
export interface RefusedRegion {
  readonly name: string;
  readonly origin: string;
  /** A sentence for people. */
  readonly refused: string;
}

/** All regions there are, by name; they come and go while it runs. */
export interface RegionRegistry {
  /** The cluster that holds the MultiCassandraClusters; it is a region as well, and never goes. */
  readonly hub: RegionHandle;
  /** Why a name that is not there may still come: not all sources were read yet. Undefined once they were. */
  readonly pending: string | undefined;
  get(name: string): RegionHandle | RefusedRegion | undefined;
  names(): string[];
  /** Calls `listener` with a region's name whenever anything about it changed. Must not wait. */
  onChange(listener: (name: string) => void): void;
  /** Runs until `signal` aborts; resolves when all connections are closed. */
  run(signal: AbortSignal): Promise<void>;
}
