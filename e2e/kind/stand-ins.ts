import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One call of a program that is stood in for. */
export interface Call {
  readonly program: string;
  readonly args: readonly string[];
  readonly input: string;
}

const programs = ['docker', 'kind', 'kubectl', 'helm'];
const systemTools = ['bash', 'cat', 'dirname', 'env', 'grep', 'sed', 'sh'];

/**
 * Programs of these names in a folder of their own, for a PATH without the real ones. Each writes down how it was called
 * and prints what `answers` has for the first of its patterns that is in its command line.
 */
export class StandIns {
  readonly path: string;
  readonly #calls: string;

  constructor(directory: string, answers: readonly (readonly [pattern: string, answer: string])[]) {
    this.path = join(directory, 'bin');
    this.#calls = join(directory, 'calls');
    mkdirSync(this.path);
    const cases = answers.map(([pattern, answer]) => `  *${quote(pattern)}*) printf '%s\\n' ${quote(answer)} ;;`);
    // Only what is piped or redirected into it is input; a terminal or the test's own would never end.
    const script = `#!/bin/bash
input=
case "$*" in *' -') input=$(cat) ;; esac
{ printf '%s\\0' "\${0##*/}" "$input" "$@"; printf '\\n\\0'; } >> ${quote(this.#calls)}
case "\${0##*/} $*" in
${cases.join('\n')}
  *) ;;
esac
`;
    for (const program of programs) {
      writeFileSync(join(this.path, program), script);
      chmodSync(join(this.path, program), 0o755);
    }
    for (const tool of systemTools) {
      const found = ['/bin', '/usr/bin'].map((folder) => join(folder, tool)).find((file) => existsSync(file));
      if (found !== undefined) symlinkSync(found, join(this.path, tool));
    }
  }

  get calls(): Call[] {
    if (!existsSync(this.#calls)) return [];
    const records = readFileSync(this.#calls, 'utf8').split('\n\0').filter(Boolean);
    return records.map((record) => {
      const [program = '', input = '', ...args] = record.split('\0').slice(0, -1);
      return { program, args, input };
    });
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
