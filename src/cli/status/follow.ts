import { multiCassandraClusters } from '../../api/schema.ts';
import { type Clock, sleep, systemClock } from '../../edges/clock.ts';
import { type Random, systemRandom } from '../../edges/random.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { Reflector } from '../../kube/reflector.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { duration, styleFor, type TerminalOutput } from '../terminal.ts';
import { documentOf, type Shown, textOf } from './shown.ts';

export interface FollowOptions {
  readonly hub: { readonly client: Pick<KubeClient, 'list' | 'watch'> };
  readonly selection: { readonly namespace?: string; readonly fieldSelector?: string };
  readonly shown: Shown;
  /** What was there a moment ago. */
  readonly first: readonly KubeObject[];
  readonly output: 'text' | 'json' | 'yaml';
  readonly out: TerminalOutput;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** Least time between two drawings, milliseconds; on a terminal the time that has passed moves on as often. */
const redrawMs = 1_000;
const clearScreen = '\u001B[H\u001B[2J';

/**
 * Shows federations whenever what the hub holds of them changes, at most once a second: on a terminal in place, elsewhere one text or document
 * after the other. Resolves when `signal` aborts, or when the one that is named is gone.
 */
export async function follow(options: FollowOptions, signal: AbortSignal): Promise<void> {
  const { hub, selection, shown, output, out, clock = systemClock, random = systemRandom } = options;
  const end = new AbortController();
  const reflector = new Reflector({
    client: hub.client,
    resource: multiCassandraClusters,
    selection,
    clock,
    random,
    // What is wrong is shown with what was seen last.
    logger: createLogger({ level: 'error', clock }),
    onChange: () => undefined,
  });
  const running = reflector.run(AbortSignal.any([signal, end.signal]));
  const isTerminal = (out.isTTY ?? false) && output === 'text';
  let drawn: string | undefined;
  let heardAt = clock.monotonic();
  try {
    while (!signal.aborted) {
      const { hasSynced, connected, lastError } = reflector.status;
      const objects = hasSynced ? reflector.store.list() : options.first;
      if (connected) heardAt = clock.monotonic();
      if (shown.name !== undefined && hasSynced && objects.length === 0) {
        if (output === 'text') out.write(`${shown.name} is gone.\n`);
        return;
      }
      // Elsewhere than on a terminal only what the hub says counts, not that time goes by.
      const version = documentOf(shown, objects, 'json');
      const style = styleFor(out, process.env);
      const lost =
        connected || lastError === undefined
          ? []
          : ['', `The hub has not answered for ${duration(clock.monotonic() - heardAt)}: ${lastError.message}`];
      const text = isTerminal ? [...textOf(shown, objects, clock.now(), style), ...lost].join('\n') : version;
      if (text !== drawn) {
        if (isTerminal) out.write(`${clearScreen}${text}\n`);
        else if (output === 'text')
          out.write(`${drawn === undefined ? '' : '\n'}${textOf(shown, objects, clock.now(), style).join('\n')}\n`);
        else
          out.write(`${output === 'yaml' && drawn !== undefined ? '---\n' : ''}${documentOf(shown, objects, output)}`);
        drawn = text;
      }
      await sleep(clock, redrawMs, signal).catch(() => undefined);
    }
  } finally {
    end.abort();
    await running;
  }
}
