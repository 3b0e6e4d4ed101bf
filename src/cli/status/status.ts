import { systemClock } from '../../edges/clock.ts';
import { type HubFlags, listFederations, openHub } from '../hub.ts';
import { styleFor, type TerminalOutput } from '../terminal.ts';
import { follow } from './follow.ts';
import { documentOf, type Shown, textOf, whereOf } from './shown.ts';

export interface StatusFlags extends HubFlags {
  namespace?: string;
  allNamespaces?: boolean;
  watch?: boolean;
  output: 'text' | 'json' | 'yaml';
}

/**
 * `ringmaster status [NAME]`: how federations are, by what their status in the hub says; no region is asked. With `watch` again whenever
 * that changes, until `signal` aborts or the one that is named is gone.
 *
 * Returns the exit code. 0: it was shown, whatever it says. 1: there is none of that name.
 * @throws UsageError for flags that cannot be used, KubeError when the hub does not answer.
 */
export async function runStatus(
  name: string | undefined,
  flags: StatusFlags,
  userAgent: string,
  out: TerminalOutput,
  complain: (sentence: string) => void,
  signal: AbortSignal,
): Promise<number> {
  await using hub = await openHub(flags, 'status', userAgent, systemClock);
  const namespace = flags.allNamespaces ? undefined : (flags.namespace ?? hub.namespace);
  const shown: Shown = { name, namespace };
  const selection = {
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { fieldSelector: `metadata.name=${name}` }),
  };
  const found = await listFederations(hub, selection, signal);
  if (name !== undefined && found.length === 0) {
    complain(`there is no MultiCassandraCluster ${name} in ${whereOf(namespace)}; ringmaster status -A lists all`);
    return 1;
  }
  if (flags.watch) {
    await follow({ hub, selection, shown, first: found, output: flags.output, out }, signal);
    return 0;
  }
  const style = styleFor(out, process.env);
  if (flags.output === 'text') out.write(`${textOf(shown, found, systemClock.now(), style).join('\n')}\n`);
  else out.write(documentOf(shown, found, flags.output));
  return 0;
}
