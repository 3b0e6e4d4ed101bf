import { registerHooks } from 'node:module';
import { mutants } from './all.ts';
import { mutated } from './mutant.ts';

/*
 * Imported before everything else (`node --import`): the process then runs the controller with the mutant whose name is
 * in RINGMASTER_MUTANT. Nothing on disk changes.
 */
const name = process.env['RINGMASTER_MUTANT'];
const mutant = mutants.find((each) => each.name === name);
if (!mutant) throw new RangeError(`RINGMASTER_MUTANT: there is no mutant ${JSON.stringify(name)}`);
const target = new URL(`../../../src/${mutant.file}`, import.meta.url).href;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (url !== target) return loaded;
    const source =
      typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString();
    return { ...loaded, source: mutated(source, mutant) };
  },
});
