import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Zone } from '../dns/zone.ts';
import { cassandraYaml } from './cassandra-config.ts';
import { ended, signalGroup, type Sandbox } from './sandbox.ts';
import { chooseSeeds } from './seed-choice.ts';

export interface BootstrapInput {
  /** The container's own environment, resolved. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where the ConfigMap's files are shown; undefined when the pod mounts none. */
  readonly configMapDirectory: string | undefined;
  /** Becomes CASSANDRA_CONF; cassandra.yaml is written here. */
  readonly confDirectory: string;
  readonly dataDirectory: string;
  /** Becomes CASSANDRA_TOOLS; holds `curl`. */
  readonly toolsDirectory: string;
  readonly namespace: string;
  readonly podAddress: string;
  readonly sandbox: Sandbox;
  readonly zone: Zone;
  /** The container's output. */
  readonly log: string;
}

/**
 * Plays CassKop's init container `bootstrap`: the ConfigMap's pre_run.sh, the choice of seeds, post_run.sh. Resolves
 * with the container's exit code.
 */
export async function runBootstrap(input: BootstrapInput, signal: AbortSignal): Promise<number> {
  const { environment, confDirectory, podAddress, sandbox, log } = input;
  const yamlFile = join(confDirectory, 'cassandra.yaml');
  rmSync(confDirectory, { recursive: true, force: true });
  mkdirSync(confDirectory, { recursive: true });
  writeFileSync(
    yamlFile,
    cassandraYaml({
      clusterName: environment['CASSANDRA_CLUSTER_NAME'] ?? 'cassandra',
      address: podAddress,
      dataDirectory: input.dataDirectory,
    }),
  );
  writeFileSync(join(confDirectory, 'cassandra-env.sh'), '');
  const say = (line: string): void => appendFileSync(log, `${line}\n`);
  const before = await runScript('pre_run.sh', input, signal);
  if (before !== 0) return before;
  say(`CASSANDRA_SEEDS=${environment['CASSANDRA_SEEDS'] ?? ''}`);
  const choice = await chooseSeeds(
    environment['CASSANDRA_SEEDS'] ?? '',
    { hostName: sandbox.hostName, address: podAddress },
    (name) => input.zone.resolve(name, input.namespace),
    say,
    signal,
  );
  if (choice.kind === 'failed') {
    say(choice.reason);
    return 1;
  }
  say(`CASSANDRA_SEEDS=${choice.seeds}`);
  const yaml = readFileSync(yamlFile, 'utf8');
  writeFileSync(
    yamlFile,
    yaml.replace(/- seeds:.*/, () => `- seeds: "${choice.seeds}"`),
  );
  return runScript('post_run.sh', input, signal);
}

/** Runs a script of the ConfigMap if it is there; 0 if it is not. */
async function runScript(name: string, input: BootstrapInput, signal: AbortSignal): Promise<number> {
  const { configMapDirectory, environment, log } = input;
  if (configMapDirectory === undefined) return 0;
  const script = join(configMapDirectory, name);
  if (!existsSync(script)) return 0;
  const env = {
    PATH: process.env['PATH'],
    ...environment,
    CONFIGMAP: configMapDirectory,
    CASSANDRA_CONF: input.confDirectory,
    CASSANDRA_TOOLS: input.toolsDirectory,
  };
  const child = input.sandbox.spawn(['bash', script], env, log);
  const onAbort = (): void => signalGroup(child, 'SIGKILL');
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (signal.aborted) onAbort();
    return await ended(child);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** What the init container left for a node that does not read the files itself. */
export interface NodeSettings {
  readonly seeds: string;
  readonly autoBootstrap: boolean;
}

/** Reads what a node without Cassandra's own code needs of cassandra.yaml. */
export function readSettings(confDirectory: string): NodeSettings {
  const yaml = readFileSync(join(confDirectory, 'cassandra.yaml'), 'utf8');
  return {
    seeds: /- seeds: "(.*)"/.exec(yaml)?.[1] ?? '',
    autoBootstrap: !/^auto_bootstrap: *false\b/m.test(yaml),
  };
}

/** The JVM's options that cassandra-env.sh adds to JVM_OPTS; Cassandra's start sources that file. */
export function readJvmOptions(confDirectory: string): string[] {
  const script = 'set -eu; JVM_OPTS=; . "$1"; printf %s "$JVM_OPTS"';
  const file = join(confDirectory, 'cassandra-env.sh');
  const options = execFileSync('bash', ['-c', script, 'cassandra-env', file], { encoding: 'utf8' });
  return options.split(/\s+/).filter(Boolean);
}
