import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { request } from 'undici';
import { HarnessError } from '../errors.ts';
import { cassandraYaml, logbackXml, rackProperties } from '../kubelet/cassandra-config.ts';
import { commonFlags, mainClass, nodeFlags } from '../kubelet/cassandra-flags.ts';
import { waitFor } from '../wait-for.ts';
import { cached } from './cache.ts';
import type { Java } from './java.ts';

const startTimeoutMs = 5 * 60_000;
const flagsName = 'flags';
const archiveName = 'classes.jsa';

/**
 * The flags of all nodes as an argument file, and an archive of the classes that a node loads (class data sharing):
 * with it a start costs about half the processor time. Made once per Java and Cassandra, by starting a node on
 * loopback and ending it.
 */
export async function findClassArchive(
  java: Java,
  jars: string,
  signal: AbortSignal,
): Promise<{ flagsFile: string; classArchive: string }> {
  const flags = commonFlags(jars);
  const directory = await cached(
    'cassandra-classes',
    { files: [], text: JSON.stringify([java.version, flags]) },
    async (unfinished) => {
      // In an argument file a value in quotes may hold anything, with backslashes to escape.
      const quoted = flags.map((flag) => `"${flag.replace(/[\\"]/g, '\\$&')}"\n`);
      writeFileSync(join(unfinished, flagsName), quoted.join(''));
      await train(java.path, jars, unfinished, signal);
    },
    signal,
  );
  return { flagsFile: join(directory, flagsName), classArchive: join(directory, archiveName) };
}

async function train(java: string, jars: string, directory: string, signal: AbortSignal): Promise<void> {
  console.error('starting Cassandra once to archive its classes (10 to 30 s, once) ...');
  const home = join(directory, 'training');
  mkdirSync(home);
  const address = '127.0.0.1';
  const [storage, native, jolokiaPort] = (await freePorts(3)) as [number, number, number];
  const yaml = cassandraYaml({ clusterName: 'training', address, dataDirectory: home, ports: { storage, native } });
  writeFileSync(join(home, 'cassandra.yaml'), yaml.replace('- seeds: ""', `- seeds: "${address}:${storage}"`));
  writeFileSync(join(home, 'cassandra-rackdc.properties'), rackProperties('dc1', 'rack1'));
  writeFileSync(join(home, 'logback.xml'), logbackXml);
  const own = { confDirectory: home, dataDirectory: home, logDirectory: join(home, 'logs') };
  const argv = [
    `@${join(directory, flagsName)}`,
    `-XX:ArchiveClassesAtExit=${join(directory, archiveName)}`,
    ...nodeFlags({ ...own, jars, address, jolokiaPort, credentials: undefined }),
    mainClass,
  ];
  const log = join(directory, 'training.log');
  const output = openSync(log, 'w');
  const node = spawn(java, argv, { stdio: ['ignore', output, output], signal });
  closeSync(output);
  const ended = once(node, 'exit');
  ended.catch(() => undefined);
  try {
    const url = `http://${address}:${jolokiaPort}/jolokia/read/org.apache.cassandra.db:type=StorageService/OperationMode`;
    await waitFor(async () => (await (await request(url, { signal })).body.text()).includes('"NORMAL"'), {
      what: 'Cassandra to start',
      timeoutMs: startTimeoutMs,
      signal,
      giveUp: () => (node.exitCode === null ? undefined : `it ended with exit code ${node.exitCode}`),
    });
    node.kill('SIGTERM');
    await ended;
    if (!existsSync(join(directory, archiveName))) throw new Error('it wrote no archive');
  } catch (cause) {
    node.kill('SIGKILL');
    signal.throwIfAborted();
    const said = existsSync(log) ? readFileSync(log, 'utf8').slice(-4000) : '';
    throw new HarnessError('BuildFailed', `Cassandra did not start: ${(cause as Error).message}\n${said}`, { cause });
  }
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
