/** A response's body that grows while the connection lasts. */
export class StreamBody implements AsyncIterable<Uint8Array> {
  readonly #chunks: { bytes: Uint8Array; onRead: (() => void) | undefined }[] = [];
  #end: { error?: Error } | undefined;
  #wake: (() => void) | undefined;

  /** @param onRead called when the reader takes it: of several that arrive together it reads one after the other. */
  push(text: string, onRead?: () => void): void {
    this.#chunks.push({ bytes: Buffer.from(text), onRead });
    this.#wakeUp();
  }

  /** Nothing more comes; with `error` the connection broke. */
  end(error?: Error): void {
    this.#end ??= error ? { error } : {};
    this.#wakeUp();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk) {
        chunk.onRead?.();
        yield chunk.bytes;
      } else if (this.#end) {
        if (this.#end.error) throw this.#end.error;
        return;
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}

/** A body that is there at once. */
export async function* wholeBody(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
