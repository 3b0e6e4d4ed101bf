import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import type { simulate } from '../schedule/simulate.ts';
import { type Mutant, mutated } from './mutant.ts';

type Simulate = typeof simulate;

const entry = new URL('../schedule/simulate.ts', import.meta.url).href;
/** Runs the controller. Who does not reach it (API servers, regions, invariants) is the same for all mutants. */
const controllerProcess = new URL('../world/controller-process.ts', import.meta.url).href;
const source = new URL('../../../src/', import.meta.url).href;

const loaded = new Map<string, { mutant: Mutant; modules: ReadonlySet<string> }>();
let isHooked = false;

/**
 * The simulation around a controller with this mutant in it. Nothing on disk changes, and other copies of the
 * controller in this process stay as they are: only the modules between the mutant and the simulation are loaded anew,
 * which is far cheaper than a process of its own.
 */
export async function loadMutant(mutant: Mutant): Promise<Simulate> {
  if (!isHooked) hook();
  isHooked = true;
  const id = String(loaded.size);
  loaded.set(id, { mutant, modules: modulesFor(fileOf(mutant)) });
  return ((await import(`${entry}?mutant=${id}`)) as { simulate: Simulate }).simulate;
}

function hook(): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context);
      const id = idOf(context.parentURL);
      if (id === undefined || !loaded.get(id)?.modules.has(resolved.url)) return resolved;
      return { ...resolved, url: `${resolved.url}?mutant=${id}` };
    },
    load(url, context, nextLoad) {
      const result = nextLoad(url, context);
      const mutant = loaded.get(idOf(url) ?? '')?.mutant;
      if (!mutant || !url.startsWith(`${fileOf(mutant)}?`)) return result;
      const { source: text } = result;
      return {
        ...result,
        source: mutated(typeof text === 'string' ? text : Buffer.from(text as Uint8Array).toString(), mutant),
      };
    },
  });
}

function fileOf(mutant: Mutant): string {
  return new URL(mutant.file, source).href;
}

function idOf(url: string | undefined): string | undefined {
  return /\?mutant=(\d+)$/.exec(url ?? '')?.[1];
}

/** What has to be loaded anew so that `file` is: whoever runs the controller, and in src whoever imports the file. */
function modulesFor(file: string): Set<string> {
  const imports = new Map<string, string[]>();
  const read = (url: string): void => {
    if (imports.has(url)) return;
    const found = importsOf(url);
    imports.set(url, found);
    for (const each of found) read(each);
  };
  read(entry);
  const reaches = (from: string, to: string, seen = new Set<string>()): boolean => {
    if (from === to) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    return (imports.get(from) ?? []).some((each) => reaches(each, to, seen));
  };
  return new Set([...imports.keys()].filter((url) => reaches(url, url.startsWith(source) ? file : controllerProcess)));
}

/** Our own modules that `url` imports; imports of types alone leave no trace. */
function importsOf(url: string): string[] {
  const text = readFileSync(new URL(url), 'utf8');
  const pattern = /^(?:import|export) (?!type )(?:[^;]*? from )?'(\.[^']+\.ts)'/gm;
  return [...text.matchAll(pattern)].map(([, path = '']) => new URL(path, url).href);
}
