import { join } from 'node:path';
import { command } from '../harness/run/command.ts';
import { cached } from '../harness/toolchain/cache.ts';
import { buildGoProgram } from '../harness/toolchain/go-build.ts';

const module = join(import.meta.dirname, 'dockerfile-lint');

/**
 * What BuildKit's linter objects to in a Dockerfile, a line each. The linter is built into the cache once.
 * @throws HarnessError CommandFailed for what BuildKit cannot read; ToolMissing, SourcesMissing, BuildFailed
 */
export async function lintDockerfile(text: string, signal: AbortSignal): Promise<string[]> {
  const directory = await cached(
    'dockerfile-lint',
    { files: ['go.mod', 'go.sum', 'main.go'].map((name) => join(module, name)) },
    (unfinished) =>
      buildGoProgram(
        { module, package: '.', announcement: "building BuildKit's linter, once: 20 s on 2 cores ...", variables: {} },
        join(unfinished, 'dockerfile-lint'),
        signal,
      ),
    signal,
  );
  const said = await command(join(directory, 'dockerfile-lint'), [], { input: text });
  return said.split('\n').filter(Boolean);
}
