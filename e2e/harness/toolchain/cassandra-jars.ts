import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { HarnessError } from '../errors.ts';
import { command } from '../run/command.ts';
import { cached } from './cache.ts';

const pom = join(import.meta.dirname, '../../cassandra/pom.xml');
const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
const fetchTimeoutMs = 10 * 60_000;

/** The directory with the jars of Cassandra and Jolokia; fetched with Maven the first time (68 MB). */
export function findCassandraJars(signal: AbortSignal): Promise<string> {
  const fetch = async (directory: string): Promise<void> => {
    console.error('fetching Cassandra from Maven Central (68 MB, once) ...');
    // Maven writes beside the POM, and the checkout is not its place.
    copyFileSync(pom, join(directory, 'pom.xml'));
    try {
      await command('mvn', ['-q', '-B', copyDependencies, `-DoutputDirectory=${directory}`], {
        cwd: directory,
        timeoutMs: fetchTimeoutMs,
      });
    } catch (cause) {
      if (cause instanceof HarnessError && cause.code === 'ToolMissing')
        throw new HarnessError('ToolMissing', 'The program mvn is missing: install maven (Apache Maven 3).', { cause });
      throw new HarnessError('BuildFailed', `Cassandra could not be fetched: ${(cause as Error).message}`, { cause });
    }
  };
  return cached('cassandra', { files: [pom] }, fetch, signal);
}
