/** Where a command writes what it has to say, e.g. process.stdout. */
export interface Output {
  write(text: string): unknown;
}
