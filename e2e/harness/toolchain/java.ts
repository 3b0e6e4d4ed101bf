import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { HarnessError } from '../errors.ts';
import { command } from '../run/command.ts';

const jvmDirectory = '/usr/lib/jvm';

/**
 * The path of a Java 17: from JAVA_HOME, else from PATH, else under /usr/lib/jvm. Cassandra 5.0 runs on 11 and 17 only.
 * @throws HarnessError ToolMissing when there is none.
 */
export async function findJava(): Promise<string> {
  const { JAVA_HOME } = process.env;
  const installed = readDirectory(jvmDirectory)
    .sort()
    .map((name) => join(jvmDirectory, name, 'bin/java'));
  const candidates = [...(JAVA_HOME ? [join(JAVA_HOME, 'bin/java')] : []), 'java', ...installed];
  for (const candidate of candidates) if ((await majorVersion(candidate)) === '17') return candidate;
  throw new HarnessError(
    'ToolMissing',
    'No Java 17 was found (Cassandra 5.0 runs on it): install openjdk-17-jdk-headless or set JAVA_HOME to a JDK 17.',
  );
}

async function majorVersion(java: string): Promise<string | undefined> {
  try {
    return /^(?:openjdk|java) (\d+)/.exec(await command(java, ['--version']))?.[1];
  } catch {
    return undefined;
  }
}

function readDirectory(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
