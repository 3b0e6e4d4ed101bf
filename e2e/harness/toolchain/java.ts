import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { HarnessError } from '../errors.ts';
import { command } from '../run/command.ts';

const jvmDirectory = '/usr/lib/jvm';

export interface Java {
  readonly path: string;
  /** What it says about itself; another build of Java says something else. */
  readonly version: string;
}

/**
 * A Java 17: from JAVA_HOME, else from PATH, else under /usr/lib/jvm. Cassandra 5.0 runs on 11 and 17 only.
 * @throws HarnessError ToolMissing when there is none.
 */
export async function findJava(): Promise<Java> {
  const { JAVA_HOME } = process.env;
  const installed = readDirectory(jvmDirectory)
    .sort()
    .map((name) => join(jvmDirectory, name, 'bin/java'));
  for (const path of [...(JAVA_HOME ? [join(JAVA_HOME, 'bin/java')] : []), 'java', ...installed]) {
    const version = await versionOf(path);
    if (version !== undefined && /^(?:openjdk|java) 17\b/.test(version)) return { path, version };
  }
  throw new HarnessError(
    'ToolMissing',
    'No Java 17 was found (Cassandra 5.0 runs on it): install openjdk-17-jdk-headless or set JAVA_HOME to a JDK 17.',
  );
}

async function versionOf(java: string): Promise<string | undefined> {
  try {
    return await command(java, ['--version']);
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
