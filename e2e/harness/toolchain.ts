import { mkdirSync } from 'node:fs';
import { findCassandraJars } from './toolchain/cassandra-jars.ts';
import { findControlPlanePrograms } from './toolchain/control-plane-programs.ts';
import { findJava } from './toolchain/java.ts';
import { findProbeTools } from './toolchain/probe-tools.ts';
import { cacheRoot } from './toolchain/cache.ts';

/** How to start the programs of a control plane: each a program followed by its leading arguments. */
export interface ControlPlanePrograms {
  readonly etcd: readonly string[];
  readonly kubeApiserver: readonly string[];
  readonly kubeControllerManager: readonly string[];
  readonly kubectl: readonly string[];
}

/** Programs and files the regions are made of. */
export interface Toolchain {
  readonly controlPlane: ControlPlanePrograms;
  /** Path of a Java 17 `java`; absent when only light nodes are wanted. */
  readonly java?: string;
  /** Directory with Cassandra's and Jolokia's jars; absent when only light nodes are wanted. */
  readonly jars?: string;
  /** Directory with a program `curl`, as the bootstrap image has in /opt/bin. */
  readonly probeTools: string;
}

/**
 * Finds what the regions need, and builds or fetches what is missing into the cache of the user; the first time takes
 * minutes and says so.
 * @throws HarnessError ToolMissing, a sentence naming the tool and what to install; BuildFailed.
 */
export async function prepareToolchain(options: { cassandra: boolean }, signal: AbortSignal): Promise<Toolchain> {
  mkdirSync(cacheRoot(), { recursive: true });
  // One after the other: what is missing should be said before a build of minutes starts.
  const java = options.cassandra ? await findJava() : undefined;
  const jars = options.cassandra ? await findCassandraJars(signal) : undefined;
  const probeTools = findProbeTools();
  const controlPlane = await findControlPlanePrograms(signal);
  return { controlPlane, probeTools, ...(java && { java }), ...(jars && { jars }) };
}
