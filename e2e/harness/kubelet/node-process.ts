import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChildProcess } from 'node:child_process';
import type { CassandraPrograms } from '../toolchain.ts';
import { readJvmOptions, readSettings } from './bootstrap.ts';
import { logbackXml, rackProperties } from './cassandra-config.ts';
import { mainClass, nodeFlags } from './cassandra-flags.ts';
import type { Sandbox } from './sandbox.ts';

const lightNode = join(import.meta.dirname, '../../light-node/main.ts');

/** What runs in a pod's container `cassandra`: the real thing, or a small process that answers Jolokia like it. */
export type NodeKind = 'cassandra' | 'light';

export interface NodeInput {
  readonly kind: NodeKind;
  readonly clusterName: string;
  readonly datacenter: string;
  readonly rack: string;
  readonly address: string;
  /** As the init container left it: cassandra.yaml and cassandra-env.sh. */
  readonly confDirectory: string;
  readonly dataDirectory: string;
  readonly logDirectory: string;
  /** Basic authentication of Jolokia. */
  readonly credentials: { readonly user: string; readonly password: string } | undefined;
  /** Take the place of the node with this address. */
  readonly replaceAddress: string | undefined;
  /** The container's JVM_EXTRA_OPTS, which Cassandra's own cassandra-env.sh puts last. */
  readonly extraJvmOptions: readonly string[];
  readonly cassandra: CassandraPrograms | undefined;
}

/** Starts a node; its output goes to `log`. */
export function startNode(input: NodeInput, sandbox: Sandbox, log: string): ChildProcess {
  const argv = input.kind === 'light' ? lightNodeCommand(input) : cassandraCommand(input);
  return sandbox.spawn(argv, { PATH: process.env['PATH'] }, log);
}

function lightNodeCommand(input: NodeInput): string[] {
  const { seeds, autoBootstrap } = readSettings(input.confDirectory);
  const replace = readJvmOptions(input.confDirectory)
    .map((option) => /^-Dcassandra\.replace_address_first_boot=(.+)$/.exec(option)?.[1])
    .findLast((address) => address !== undefined);
  return [
    process.execPath,
    lightNode,
    '--address',
    input.address,
    '--cluster',
    input.clusterName,
    '--datacenter',
    input.datacenter,
    '--rack',
    input.rack,
    '--seeds',
    seeds,
    '--data',
    input.dataDirectory,
    ...(autoBootstrap ? [] : ['--no-auto-bootstrap']),
    ...(replace === undefined ? [] : ['--replace-address-first-boot', replace]),
  ];
}

function cassandraCommand(input: NodeInput): string[] {
  const { cassandra, confDirectory } = input;
  if (!cassandra) throw new Error('this run was started for light nodes only, so it has no Cassandra');
  writeFileSync(join(confDirectory, 'cassandra-rackdc.properties'), rackProperties(input.datacenter, input.rack));
  writeFileSync(join(confDirectory, 'logback.xml'), logbackXml);
  return [
    cassandra.java,
    `@${cassandra.flagsFile}`,
    `-XX:SharedArchiveFile=${cassandra.classArchive}`,
    ...nodeFlags({ ...input, jars: cassandra.jars, jolokiaPort: 8778 }),
    ...(input.replaceAddress === undefined ? [] : [`-Dcassandra.replace_address=${input.replaceAddress}`]),
    ...readJvmOptions(confDirectory),
    ...input.extraJvmOptions,
    mainClass,
  ];
}
