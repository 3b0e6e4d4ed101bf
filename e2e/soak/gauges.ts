import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { waitFor } from '../harness/wait-for.ts';

/** What the process counts itself, after garbage was collected. */
export interface InnerGauges {
  readonly heapBytes: number;
  readonly externalBytes: number;
  readonly activeTimers: number;
  readonly timerObjects: number;
  readonly socketObjects: number;
  readonly abortSignals: number;
  readonly promises: number;
  readonly closures: number;
  readonly listenerWarnings: number;
}

/** What the kernel says of it. */
export interface OuterGauges {
  readonly openSockets: number;
  readonly openFiles: number;
  readonly residentBytes: number;
}

export type Gauges = InnerGauges & OuterGauges;

const preload = pathToFileURL(join(import.meta.dirname, 'gauges-preload.ts')).href;
/** Longest wait for the process to count, on a busy machine, milliseconds. */
const answerMs = 60_000;

/** With this environment a Node process can be gauged; `file` is where it writes, one for each process. */
export function gaugedEnvironment(file: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    NODE_OPTIONS: `--expose-gc --disable-warning=ExperimentalWarning --import=${preload}`,
    RINGMASTER_GAUGES: file,
  };
}

/**
 * Lets the process count, and resolves with what is open and alive in it now.
 * @throws HarnessError TimedOut when it says nothing for a minute.
 */
export async function readGauges(pid: number, file: string): Promise<Gauges> {
  const before = linesOf(file).length;
  process.kill(pid, 'SIGUSR2');
  const line = await waitFor(() => linesOf(file)[before], { what: 'the process to count', timeoutMs: answerMs });
  return { ...(JSON.parse(line) as InnerGauges), ...outerGauges(pid) };
}

function outerGauges(pid: number): OuterGauges {
  const directory = `/proc/${pid}/fd`;
  const open = readdirSync(directory).map((each) => {
    try {
      return readlinkSync(join(directory, each));
    } catch {
      // Closed since the directory was read.
      return '';
    }
  });
  const [, residentKib = '0'] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return {
    openSockets: open.filter((each) => each.startsWith('socket:')).length,
    openFiles: open.filter((each) => each !== '' && !each.startsWith('socket:')).length,
    residentBytes: Number(residentKib) * 1024,
  };
}

/** Whole lines only. */
function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
}
