/** A body was longer than its limit, or ended inside a line. */
export class BodyError extends Error {
  override readonly name = 'BodyError';
  readonly code = 'BodyError';
}

/**
 * The whole body as text.
 * @throws BodyError when it is longer than `limitBytes`; whatever the body itself fails with.
 */
export async function readText(body: AsyncIterable<Uint8Array>, limitBytes: number): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.byteLength;
    if (length > limitBytes) throw new BodyError(`the answer is longer than ${limitBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length).toString('utf8');
}

const newline = 0x0a;

/**
 * The body's lines as they become complete, without their line ends; empty lines are left out. Works on bytes, because
 * a chunk may end inside a character, and keeps the pieces of a long line apart until it ends, so that its cost stays
 * linear. `onChunk` is called for every piece received.
 * @throws BodyError when a line exceeds `limitBytes` or the body ends inside one.
 */
export async function* readLines(
  body: AsyncIterable<Uint8Array>,
  limitBytes: number,
  onChunk: () => void,
): AsyncGenerator<string> {
  let open: Uint8Array[] = [];
  let openBytes = 0;
  for await (const chunk of body) {
    onChunk();
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      open.push(chunk.subarray(start, end));
      const line = Buffer.concat(open).toString('utf8').trim();
      open = [];
      openBytes = 0;
      start = end + 1;
      if (line !== '') yield line;
    }
    if (start < chunk.byteLength) {
      open.push(chunk.subarray(start));
      openBytes += chunk.byteLength - start;
      if (openBytes > limitBytes) throw new BodyError(`a line is longer than ${limitBytes} bytes`);
    }
  }
  if (openBytes > 0) throw new BodyError(`the stream ended inside a line, after ${openBytes} bytes of it`);
}
