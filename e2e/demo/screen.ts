/** The part of a stream that a {@link Screen} writes to, e.g. process.stdout. */
export interface Output {
  readonly isTTY?: boolean;
  /** Characters that fit on a line; read at every drawing, for a window can change. */
  readonly columns?: number;
  write(text: string): unknown;
}

const defaultColumns = 80;
const clearToEnd = '\u001B[J';

/** Lines that stay and, on a terminal only, one block below them that is redrawn in place. */
export class Screen {
  readonly terminal: boolean;
  readonly #out: Output;
  #block: readonly string[] = [];
  #drawn = 0;

  constructor(out: Output) {
    this.#out = out;
    this.terminal = out.isTTY ?? false;
  }

  /** Adds lines that stay, above the block. */
  say(text: string): void {
    this.#erase();
    this.#out.write(`${text}\n`);
    this.#draw();
  }

  /** Shows a block in place of the one before; on something that is no terminal nothing is shown. */
  show(block: readonly string[]): void {
    if (!this.terminal) return;
    this.#erase();
    this.#block = block;
    this.#draw();
  }

  /** Lets the block stay as it is now; what follows goes below it. */
  keep(): void {
    this.#block = [];
    this.#drawn = 0;
  }

  #erase(): void {
    if (this.#drawn > 0) this.#out.write(`\u001B[${this.#drawn}A${clearToEnd}`);
    this.#drawn = 0;
  }

  #draw(): void {
    // A line that wraps would take two rows, and the block would no longer be found.
    const columns = this.#out.columns ?? defaultColumns;
    for (const line of this.#block) {
      const shown = line.length < columns ? line : `${line.slice(0, Math.max(0, columns - 2))}…`;
      this.#out.write(`${shown}\n`);
    }
    this.#drawn = this.#block.length;
  }
}
