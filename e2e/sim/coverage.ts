import { Session, type Profiler } from 'node:inspector/promises';

/** How much of some source files ran. */
export interface Coverage {
  readonly covered: number;
  readonly total: number;
  /** `file:function` of functions that never ran. */
  readonly neverRan: readonly string[];
}

/** Watches which blocks of code (branches, as V8 tells them apart) run in this process. */
export class CoverageWatch {
  readonly #session: Session;

  private constructor(session: Session) {
    this.#session = session;
  }

  static async start(): Promise<CoverageWatch> {
    const session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    return new CoverageWatch(session);
  }

  /** Of all blocks in files whose URL `isWanted`, how many ran. */
  async stop(isWanted: (url: string) => boolean): Promise<Coverage> {
    const { result } = await this.#session.post('Profiler.takePreciseCoverage');
    this.#session.disconnect();
    const files = result.filter(({ url }) => isWanted(url));
    let covered = 0;
    let total = 0;
    const neverRan: string[] = [];
    for (const { url, functions } of files) {
      for (const each of functions) {
        total += each.ranges.length;
        covered += each.ranges.filter(({ count }) => count > 0).length;
        if (!ran(each) && each.functionName !== '') neverRan.push(`${url.replace(/.*\//, '')}:${each.functionName}`);
      }
    }
    return { covered, total, neverRan };
  }
}

function ran({ ranges }: Profiler.FunctionCoverage): boolean {
  return (ranges[0]?.count ?? 0) > 0;
}
