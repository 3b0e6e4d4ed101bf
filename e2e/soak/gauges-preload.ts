/**
 * Loaded into a process that is to be watched for leaks, before its own code: on SIGUSR2 it collects garbage, counts what
 * is left and appends a line of JSON, a {@link InnerGauges}, to the file that RINGMASTER_GAUGES names.
 */
import { appendFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { queryObjects } from 'node:v8';
import type { InnerGauges } from './gauges.ts';

const file = process.env['RINGMASTER_GAUGES'];
const probe = setTimeout(() => undefined, 0);
clearTimeout(probe);
const Timer = probe.constructor;
let listenerWarnings = 0;

process.on('warning', ({ name }) => {
  if (name === 'MaxListenersExceededWarning') listenerWarnings += 1;
});

function count(kind: string): number {
  return process.getActiveResourcesInfo().filter((each) => each === kind).length;
}

function read(): InnerGauges {
  // The first pass lets finalizers run, whose objects the second takes.
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return {
    heapBytes: heapUsed,
    externalBytes: external,
    activeTimers: count('Timeout'),
    // Those that are unref'ed too, and those that are over and still held by somebody.
    timerObjects: queryObjects(Timer, { format: 'count' }),
    socketObjects: queryObjects(Socket, { format: 'count' }),
    abortSignals: queryObjects(AbortSignal, { format: 'count' }),
    promises: queryObjects(Promise, { format: 'count' }),
    // A listener that was left on something is a closure.
    closures: queryObjects(Function, { format: 'count' }),
    listenerWarnings,
  };
}

if (file !== undefined) {
  // The first count is what makes the functions that count.
  read();
  process.on('SIGUSR2', () => {
    // Not inside the signal's own turn, whose frames would hold on to things.
    setImmediate(() => appendFileSync(file, `${JSON.stringify(read())}\n`));
  });
}
