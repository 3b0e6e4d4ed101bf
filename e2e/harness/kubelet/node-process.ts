import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChildProcess } from 'node:child_process';
import { logbackXml, rackProperties } from './cassandra-config.ts';
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
  /** As they stand in cassandra.yaml. */
  readonly seeds: string;
  readonly confDirectory: string;
  readonly dataDirectory: string;
  readonly logDirectory: string;
  /** Basic authentication of Jolokia. */
  readonly credentials: { readonly user: string; readonly password: string } | undefined;
  /** Take the place of the node with this address. */
  readonly replaceAddress: string | undefined;
  readonly java: string | undefined;
  readonly jars: string | undefined;
}

/** Starts a node; its output goes to `log`. */
export function startNode(input: NodeInput, sandbox: Sandbox, log: string): ChildProcess {
  const argv = input.kind === 'light' ? lightNodeCommand(input) : cassandraCommand(input);
  return sandbox.spawn(argv, { PATH: process.env['PATH'] }, log);
}

function lightNodeCommand(input: NodeInput): string[] {
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
    input.seeds,
    '--data',
    input.dataDirectory,
  ];
}

function cassandraCommand(input: NodeInput): string[] {
  const { java, jars, confDirectory, dataDirectory, logDirectory, address, credentials } = input;
  if (java === undefined || jars === undefined)
    throw new Error('this run was started for light nodes only, so it has no Java and no Cassandra');
  writeFileSync(join(confDirectory, 'cassandra-rackdc.properties'), rackProperties(input.datacenter, input.rack));
  writeFileSync(join(confDirectory, 'logback.xml'), logbackXml);
  const jolokia = [`host=${address}`, 'port=8778', 'executor=fixed'];
  if (credentials) jolokia.push('authMode=basic', `user=${credentials.user}`, `password=${credentials.password}`);
  const jarNamed = (prefix: string): string => {
    const name = readdirSync(jars).find((each) => each.startsWith(prefix) && each.endsWith('.jar'));
    if (name === undefined) throw new Error(`there is no ${prefix}*.jar in ${jars}`);
    return join(jars, name);
  };
  return [
    java,
    // As small as Cassandra 5.0 goes; the default, G1 with 16 MiB regions, is wrong for such a heap.
    '-Xms192m',
    '-Xmx256m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-Xss256k',
    '-XX:MaxDirectMemorySize=128m',
    '-XX:+ExitOnOutOfMemoryError',
    '-Djava.net.preferIPv4Stack=true',
    `-javaagent:${jarNamed('jamm-')}`,
    `-javaagent:${jarNamed('jolokia-jvm-')}=${jolokia.join(',')}`,
    '-Djdk.attach.allowAttachSelf=true',
    '-Dio.netty.tryReflectionSetAccessible=true',
    `-Dcassandra.config=file:${join(confDirectory, 'cassandra.yaml')}`,
    `-Dcassandra-rackdc.properties=file:${join(confDirectory, 'cassandra-rackdc.properties')}`,
    `-Dlogback.configurationFile=${join(confDirectory, 'logback.xml')}`,
    `-Dcassandra.storagedir=${dataDirectory}`,
    `-Dcassandra.logdir=${logDirectory}`,
    '-Dcassandra-foreground=yes',
    '-Dcassandra.available_processors=2',
    // Waiting times of production, cut to what one machine needs.
    '-Dcassandra.skip_wait_for_gossip_to_settle=0',
    '-Dcassandra.ring_delay_ms=2000',
    '-Dcassandra.superuser_setup_delay_ms=0',
    '-Dcassandra.shutdown_announce_in_ms=200',
    // A pod comes back with another address, so names must not be remembered.
    '-Dsun.net.inetaddr.ttl=1',
    '-Dsun.net.inetaddr.negative.ttl=0',
    ...(input.replaceAddress ? [`-Dcassandra.replace_address=${input.replaceAddress}`] : []),
    ...exports.flatMap((each) => ['--add-exports', `${each}=ALL-UNNAMED`]),
    ...opens.flatMap((each) => ['--add-opens', `${each}=ALL-UNNAMED`]),
    '-cp',
    join(jars, '*'),
    'org.apache.cassandra.service.CassandraDaemon',
  ];
}

// What Cassandra 5.0 reaches into on Java 17: its conf/jvm17-server.options.
const exports = [
  'java.base/jdk.internal.misc',
  'java.base/java.lang.ref',
  'java.management.rmi/com.sun.jmx.remote.internal.rmi',
  'java.management/com.sun.jmx.remote.security',
  'java.rmi/sun.rmi.registry',
  'java.rmi/sun.rmi.server',
  'java.sql/java.sql',
  'jdk.attach/sun.tools.attach',
  'jdk.compiler/com.sun.tools.javac.file',
  'jdk.unsupported/sun.misc',
];
const opens = [
  'java.base/java.io',
  'java.base/java.lang',
  'java.base/java.lang.module',
  'java.base/java.lang.reflect',
  'java.base/java.nio',
  'java.base/java.util',
  'java.base/java.util.concurrent',
  'java.base/java.util.concurrent.atomic',
  'java.base/jdk.internal.loader',
  'java.base/jdk.internal.math',
  'java.base/jdk.internal.module',
  'java.base/jdk.internal.ref',
  'java.base/jdk.internal.reflect',
  'java.base/jdk.internal.util.jar',
  'java.base/sun.nio.ch',
  'jdk.compiler/com.sun.tools.javac',
  'jdk.management/com.sun.management.internal',
];
