/** What one fault did. Times are milliseconds. */
export interface Row {
  readonly fault: string;
  /** Of a benign edit, to the last healthy region; undefined where no edit could be made. */
  readonly beforeMs: number;
  readonly duringMs: number | undefined;
  /** From the end of the fault until the region has what was edited meanwhile. */
  readonly recoveryMs: number;
  /** Status and reason of what the status said. */
  readonly says: string;
}

/** The rows as they stand in docs/fault-matrix.md. */
export function describe(rows: readonly Row[]): string {
  const ms = (time: number | undefined): string => (time === undefined ? '-' : `${Math.round(time)} ms`);
  return rows
    .map((row) => `| ${row.fault} | ${ms(row.beforeMs)} | ${ms(row.duringMs)} | ${ms(row.recoveryMs)} | ${row.says} |`)
    .join('\n');
}
