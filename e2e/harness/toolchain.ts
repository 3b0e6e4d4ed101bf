import { mkdirSync } from 'node:fs';
import { findCassandraJars } from './toolchain/cassandra-jars.ts';
import { findClassArchive } from './toolchain/class-archive.ts';
import { findControlPlanePrograms } from './toolchain/control-plane-programs.ts';
import { findJava } from './toolchain/java.ts';
import { findProbeTools } from './toolchain/probe-tools.ts';
import { requireTools } from './toolchain/required-tools.ts';
import { cacheRoot } from './toolchain/cache.ts';

/** How to start the programs of a control plane: each a program followed by its leading arguments. */
export interface ControlPlanePrograms {
  readonly etcd: readonly string[];
  readonly kubeApiserver: readonly string[];
  readonly kubeControllerManager: readonly string[];
  readonly kubectl: readonly string[];
}

/** What a Cassandra node is started from. */
export interface CassandraPrograms {
  /** A Java 17. */
  readonly java: string;
  /** Directory with the jars of Cassandra and Jolokia. */
  readonly jars: string;
  /** The flags all nodes share, class path included, as an argument file: java(1). */
  readonly flagsFile: string;
  /** An archive of classes that halves a node's start. */
  readonly classArchive: string;
}

/** Programs and files the regions are made of. */
export interface Toolchain {
  readonly controlPlane: ControlPlanePrograms;
  /** Absent when only light nodes are wanted. */
  readonly cassandra?: CassandraPrograms;
  /** Directory with a program `curl`, as the bootstrap image has in /opt/bin. */
  readonly probeTools: string;
}

/**
 * Finds what the regions need, and builds or fetches what is missing into the cache of the user; the first time takes
 * minutes and says so.
 * @throws HarnessError ToolMissing, a sentence naming the tool and what to install; BuildFailed.
 */
export async function prepareToolchain(options: { cassandra: boolean }, signal: AbortSignal): Promise<Toolchain> {
  await requireTools();
  mkdirSync(cacheRoot(), { recursive: true });
  // One after the other: what is missing should be said before a build of minutes starts.
  const cassandra = options.cassandra ? await findCassandra(signal) : undefined;
  const probeTools = findProbeTools();
  const controlPlane = await findControlPlanePrograms(signal);
  return { controlPlane, probeTools, ...(cassandra && { cassandra }) };
}

async function findCassandra(signal: AbortSignal): Promise<CassandraPrograms> {
  const java = await findJava();
  const jars = await findCassandraJars(signal);
  return { java: java.path, jars, ...(await findClassArchive(java, jars, signal)) };
}
