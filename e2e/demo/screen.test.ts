import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Screen } from './screen.ts';

const escape = String.fromCharCode(27);

/** What a terminal of `columns` shows after all that was written to it; knows the two sequences that Screen uses. */
class Terminal {
  readonly isTTY = true;
  readonly columns: number;
  lines: string[] = [];

  constructor(columns = 40) {
    this.columns = columns;
  }

  write(text: string): void {
    const up = new RegExp(`^${escape}\\[(\\d+)A${escape}\\[J$`).exec(text);
    if (up) this.lines.length -= Number(up[1]);
    else this.lines.push(...text.replace(/\n$/, '').split('\n'));
  }
}

suite('a screen on a terminal', () => {
  test('redraws its block in place, below the lines that stay', () => {
    const terminal = new Terminal();
    const screen = new Screen(terminal);
    screen.say('started');
    screen.show(['one', 'two', 'three']);
    screen.show(['four']);
    screen.say('said');
    assert.deepEqual(terminal.lines, ['started', 'said', 'four']);
  });

  test('leaves a kept block as it is', () => {
    const terminal = new Terminal();
    const screen = new Screen(terminal);
    screen.show(['one', 'two']);
    screen.keep();
    screen.say('after');
    screen.show(['three']);
    screen.show(['four']);
    assert.deepEqual(terminal.lines, ['one', 'two', 'after', 'four']);
  });

  test('cuts a line that would wrap, so that a line is a row', () => {
    const terminal = new Terminal(10);
    new Screen(terminal).show(['123456789', '1234567890', '12345678901']);
    assert.deepEqual(terminal.lines, ['123456789', '12345678…', '12345678…']);
  });
});

test('a screen on something else shows the lines that stay and nothing else', () => {
  let written = '';
  const screen = new Screen({ write: (text) => (written += text) });
  screen.say('one');
  screen.show(['block']);
  screen.keep();
  screen.say('two');
  assert.equal(written, 'one\ntwo\n');
});
