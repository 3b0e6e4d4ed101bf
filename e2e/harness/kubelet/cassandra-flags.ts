import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The flags that every Cassandra node of the harness is started with, class path included, whatever its name and
 * address: those of Cassandra 5.0's own conf/jvm17-server.options, at the smallest size it runs with.
 */
export function commonFlags(jars: string): string[] {
  const names = readdirSync(jars)
    .filter((name) => name.endsWith('.jar'))
    .sort();
  const agent = names.find((name) => name.startsWith('jamm-'));
  if (agent === undefined) throw new Error(`there is no jamm-*.jar in ${jars}`);
  return [
    '-Xms192m',
    '-Xmx256m',
    '-Xss256k',
    '-XX:MaxDirectMemorySize=128m',
    '-XX:+ExitOnOutOfMemoryError',
    // The default, G1 with regions of 16 MiB, is wrong for such a heap; the second compiler does not pay off.
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    // Agents switch the class archive off unless told otherwise.
    '-XX:+UnlockDiagnosticVMOptions',
    '-XX:+AllowArchivingWithJavaAgent',
    `-javaagent:${join(jars, agent)}`,
    '-Djava.net.preferIPv4Stack=true',
    '-Djdk.attach.allowAttachSelf=true',
    '-Dio.netty.tryReflectionSetAccessible=true',
    '-Dcassandra-foreground=yes',
    '-Dcassandra.available_processors=2',
    // What it would find out by filling a table with 100 000 rows, which is a third of its start.
    '-Dcassandra.memtable.row_overhead_size=180',
    // Waiting times of production, cut to what one machine needs.
    '-Dcassandra.skip_wait_for_gossip_to_settle=0',
    '-Dcassandra.ring_delay_ms=2000',
    // Also the pause between its attempts, which go on while any node of the ring is down.
    '-Dcassandra.superuser_setup_delay_ms=1000',
    '-Dcassandra.shutdown_announce_in_ms=200',
    // A pod comes back with another address, so names must not be remembered.
    '-Dsun.net.inetaddr.ttl=1',
    '-Dsun.net.inetaddr.negative.ttl=0',
    ...exports.map((each) => `--add-exports=${each}=ALL-UNNAMED`),
    ...opens.map((each) => `--add-opens=${each}=ALL-UNNAMED`),
    // In a fixed order: an archive of classes is good for one class path only. Jolokia's agent brings its own classes.
    '-cp',
    names
      .filter((name) => !name.startsWith('jolokia-'))
      .map((name) => join(jars, name))
      .join(':'),
  ];
}

/** Cassandra's main class. */
export const mainClass = 'org.apache.cassandra.service.CassandraDaemon';

/** Flags that belong to one node. */
export function nodeFlags(node: {
  jars: string;
  address: string;
  jolokiaPort: number;
  confDirectory: string;
  dataDirectory: string;
  logDirectory: string;
  credentials: { readonly user: string; readonly password: string } | undefined;
}): string[] {
  const { jars, address, jolokiaPort, confDirectory, credentials } = node;
  const jolokia = [`host=${address}`, `port=${jolokiaPort}`, 'executor=fixed'];
  if (credentials) jolokia.push('authMode=basic', `user=${credentials.user}`, `password=${credentials.password}`);
  const agent = readdirSync(jars).find((name) => /^jolokia-jvm-.*\.jar$/.test(name));
  if (agent === undefined) throw new Error(`there is no jolokia-jvm-*.jar in ${jars}`);
  return [
    `-javaagent:${join(jars, agent)}=${jolokia.join(',')}`,
    `-Dcassandra.config=file:${join(confDirectory, 'cassandra.yaml')}`,
    `-Dcassandra-rackdc.properties=file:${join(confDirectory, 'cassandra-rackdc.properties')}`,
    `-Dlogback.configurationFile=${join(confDirectory, 'logback.xml')}`,
    `-Dcassandra.storagedir=${node.dataDirectory}`,
    `-Dcassandra.logdir=${node.logDirectory}`,
  ];
}

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
