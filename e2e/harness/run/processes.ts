import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A process that cannot be mistaken for a later one with the same pid: the pair is unique until the next boot. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from boot to the process's start: field 22 of /proc/<pid>/stat, proc_pid_stat(5). */
  readonly startTime: number;
}

/** The identity of a running process; undefined when there is none with that pid, or only its zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The second field is the program's name in brackets and may hold anything, so fields count from the last bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : { pid, startTime: Number(fields[19]) };
}

export function isRunning({ pid, startTime }: ProcessIdentity): boolean {
  return identify(pid)?.startTime === startTime;
}

/** Sends `signal` if the process is still the recorded one. */
export function sendSignal(target: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isRunning(target)) return;
  try {
    process.kill(target.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** SIGKILL to all, then waits until they are gone or `timeoutMs` passed; resolves with those still there. */
export async function killAll(targets: readonly ProcessIdentity[], timeoutMs = 10_000): Promise<ProcessIdentity[]> {
  for (const target of targets) sendSignal(target, 'SIGKILL');
  const deadline = performance.now() + timeoutMs;
  let left = targets.filter(isRunning);
  while (left.length > 0 && performance.now() < deadline) {
    await delay(20);
    left = left.filter(isRunning);
  }
  return left;
}

/** Differs after every boot, so that start times of two boots are never compared. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
