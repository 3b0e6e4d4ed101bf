/** One instruction of a Dockerfile, continuation lines put together. */
export interface Instruction {
  readonly name: string;
  /** `--from=node` and the like, without the dashes. */
  readonly flags: Readonly<Record<string, string>>;
  /** What follows name and flags, as it stands there. */
  readonly text: string;
  /** The same as words, or as the members of its JSON form. */
  readonly words: readonly string[];
  /** From 1. */
  readonly line: number;
}

export interface Stage {
  /** After `AS`. */
  readonly name: string | undefined;
  /** What it begins from, arguments put in. */
  readonly base: string;
  readonly from: Instruction;
  readonly instructions: readonly Instruction[];
}

export interface Dockerfile {
  /** The arguments before the first stage, with their defaults. */
  readonly args: Readonly<Record<string, string>>;
  readonly stages: readonly Stage[];
}

const known = new Set(['ARG', 'CMD', 'COPY', 'ENTRYPOINT', 'ENV', 'EXPOSE', 'FROM', 'LABEL', 'RUN', 'USER', 'WORKDIR']);

/**
 * Reads as much of the format as deploy/Dockerfile uses: docs.docker.com/reference/dockerfile.
 * @throws SyntaxError naming the line, for what it does not know.
 */
export function parseDockerfile(text: string): Dockerfile {
  const args: Record<string, string> = {};
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  for (const instruction of instructions(text)) {
    const { name, words, line } = instruction;
    const stage = stages.at(-1);
    if (name === 'FROM') {
      const [image = '', as, alias] = words;
      if (as !== undefined && (as !== 'AS' || alias === undefined))
        throw new SyntaxError(`line ${line}: FROM image AS name`);
      stages.push({ name: alias, base: expand(image, args, line), from: instruction, instructions: [] });
    } else if (stage) stage.instructions.push(instruction);
    else if (name === 'ARG') {
      const [, key = '', value] = /^(\w+)=(.+)$/.exec(instruction.text) ?? [];
      if (value === undefined) throw new SyntaxError(`line ${line}: an argument without a default`);
      args[key] = value;
    } else throw new SyntaxError(`line ${line}: ${name} before the first FROM`);
  }
  return { args, stages };
}

function* instructions(text: string): Generator<Instruction> {
  let begun: { text: string; line: number } | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    begun = { text: (begun?.text ?? '') + line.replace(/\\\s*$/, ' '), line: begun?.line ?? index + 1 };
    if (/\\\s*$/.test(line)) continue;
    yield instruction(begun.text.trim(), begun.line);
    begun = undefined;
  }
  if (begun) throw new SyntaxError(`line ${begun.line}: it goes on, and the file ends`);
}

function instruction(text: string, line: number): Instruction {
  const [, name = '', flagText = '', rest = ''] = /^([A-Z]+)\s+((?:--\S+\s+)*)(.*)$/.exec(text) ?? [];
  if (!known.has(name)) throw new SyntaxError(`line ${line}: ${text}`);
  const flags = flagText.split(/\s+/).filter(Boolean);
  return {
    name,
    flags: Object.fromEntries(flags.map((flag) => flag.slice(2).split('=', 2) as [string, string])),
    text: rest,
    words: rest.startsWith('[') ? (JSON.parse(rest) as string[]) : rest.split(/\s+/),
    line,
  };
}

function expand(text: string, args: Readonly<Record<string, string>>, line: number): string {
  return text.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = args[name];
    if (value === undefined) throw new SyntaxError(`line ${line}: there is no argument ${name}`);
    return value;
  });
}
