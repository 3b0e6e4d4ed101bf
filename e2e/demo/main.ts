/**
 * The whole on one machine: three real Kubernetes control planes, one MultiCassandraCluster, one Cassandra ring.
 *
 *   node e2e/demo/main.ts [--once]
 *
 * It stays up until Ctrl-C, and then removes what it made. With --once it ends after the proof: with 0, or with 1 and
 * the reason.
 */
import { parseArgs } from 'node:util';
import { demo } from './demo.ts';
import { Screen } from './screen.ts';

const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } });
const screen = new Screen(process.stdout);
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    // Ended half-way, the removal would leave network namespaces behind.
    if (stop.signal.aborted) screen.say('A moment: what the demo made is being removed.');
    else stop.abort(new Error(signal));
  });
// Whoever read the output has gone, as after `make demo | head`.
process.stdout.on('error', (error) => stop.abort(error));

process.exitCode = await demo({ once: values.once, screen, signal: stop.signal });
