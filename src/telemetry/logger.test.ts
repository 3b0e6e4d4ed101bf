import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { VirtualClock } from '../edges/testing.ts';
import { createLogger, type LogLevel, type Logger } from './logger.ts';

function capture(level: LogLevel = 'debug'): {
  logger: Logger;
  lines: () => Record<string, unknown>[];
  text: () => string;
} {
  const stream = new PassThrough();
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return {
    logger: createLogger({ level, clock: new VirtualClock(0), stream }),
    text: () => text,
    lines: () =>
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

test('a line is one JSON object with time, level, message and the fields of all its parents', () => {
  const { logger, lines } = capture();
  logger.child({ region: 'eu' }).child({ key: 'a/b' }).info('applied', { changed: 2 });
  assert.deepEqual(lines(), [
    { timestamp: '1970-01-01T00:00:00.000Z', level: 'info', message: 'applied', region: 'eu', key: 'a/b', changed: 2 },
  ]);
});

test('an error is written with its code, its stack and the whole chain of causes', () => {
  const { logger, lines } = capture();
  const root = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  logger.error('cannot reach', { error: new Error('no answer', { cause: new TypeError('inner', { cause: root }) }) });
  const error = lines()[0]?.['error'] as { message: string; stack: string; cause: { cause: { code: string } } };
  assert.equal(error.message, 'no answer');
  assert.match(error.stack, /logger\.test/);
  assert.equal(error.cause.cause.code, 'ECONNREFUSED');
});

test('secrets are not written, neither by the name of their field nor inside text', () => {
  const { logger, text } = capture();
  const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.c2lnbmF0dXJl';
  logger.warn(`header was Authorization: Bearer hunter2hunter2`, {
    headers: { Authorization: 'Bearer hunter2hunter2', accept: 'json' },
    user: { token: 'hunter2', 'client-key-data': 'hunter2', password: 'hunter2' },
    error: new Error(`refused ${jwt}`, { cause: new Error('Basic aHVudGVyMjpodW50ZXIy') }),
  });
  assert.doesNotMatch(text(), /hunter2|eyJ|aHVudGVy/);
  assert.match(text(), /"accept":"json"/);
});

test('a line below the level is dropped before its fields are looked at', () => {
  const { logger, lines } = capture('info');
  let read = false;
  logger.debug('costly', {
    get field(): boolean {
      return (read = true);
    },
  });
  assert.equal(read, false);
  logger.child({ a: 1 }).debug('too');
  logger.info('kept');
  assert.deepEqual(
    lines().map((line) => line['message']),
    ['kept'],
  );
});

test('what JSON cannot hold does not break a line', () => {
  const { logger, lines } = capture();
  const cycle: Record<string, unknown> = {
    big: 1n,
    when: new Date(0),
    bytes: Buffer.from('abc'),
    map: new Map([['a', 1]]),
  };
  cycle['self'] = cycle;
  logger.info('odd', { cycle, message: 'a field called message' });
  const [line] = lines();
  assert.equal(line?.['message'], 'odd');
  const written = line?.['cycle'] as Record<string, unknown>;
  assert.deepEqual(
    [written['big'], written['when'], written['bytes'], written['map']],
    ['1', '1970-01-01T00:00:00.000Z', '[3 bytes]', { a: 1 }],
  );
});
