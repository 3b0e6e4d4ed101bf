import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { test } from 'node:test';

/** From the ground up: a room may import itself and the rooms before it. */
const rooms = [
  'edges',
  'api',
  'telemetry',
  'kube',
  'ring',
  'operators',
  'federation',
  'regions',
  'ui',
  'runtime',
  'cli',
];

/** What only src/edges may touch, and what to use instead. */
const edges: [RegExp, string][] = [
  [/\bDate\.now\(/, 'Clock.now'],
  [/\bnew Date\(\)/, 'Clock.now'],
  [/\bperformance\.now\(/, 'Clock.monotonic'],
  [/\b(?:setTimeout|setInterval|setImmediate)\(/, 'Clock.timer or sleep'],
  [/\bAbortSignal\.timeout\(/, 'withDeadline'],
  [/\bMath\.random\(/, 'Random.next'],
  [/\brandomUUID\(/, 'Random.next'],
];

const lineLimit = 450;

const root = import.meta.dirname;
const files = globSync('**/*.ts', { cwd: root });

function roomOf(file: string): string {
  return file.split('/')[0] ?? '';
}

test('every file of src stands in a known room', () => {
  const strays = files.filter(
    (file) => !rooms.includes(roomOf(file)) && file !== 'rooms.test.ts' && file !== 'index.ts',
  );
  assert.deepEqual(strays, []);
});

test('imports go one way through the rooms', () => {
  const wrong = files
    .filter((file) => rooms.includes(roomOf(file)))
    .flatMap((file) => {
      const text = readFileSync(join(root, file), 'utf8');
      return [...text.matchAll(/(?:from|import)\s*\(?'(\.[^']+)'/g)]
        .map((match) => relative(root, normalize(join(root, dirname(file), match[1] ?? ''))))
        .filter((target) => rooms.indexOf(roomOf(target)) > rooms.indexOf(roomOf(file)) || target.startsWith('..'))
        .map((target) => `${file} imports ${target}`);
    });
  assert.deepEqual(wrong, []);
});

test('only the edges touch the clock and randomness of the machine', () => {
  const wrong = files
    .filter((file) => !file.startsWith('edges/') && !/\.(test|fixture)\.ts$|testing\.ts$/.test(file))
    .flatMap((file) => {
      const code = readFileSync(join(root, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
      return edges.filter(([use]) => use.test(code)).map(([use, instead]) => `${file}: ${use.source}; use ${instead}`);
    });
  assert.deepEqual(wrong, []);
});

test(`no file of src is longer than ${lineLimit} lines`, () => {
  const long = files.filter((file) => readFileSync(join(root, file), 'utf8').split('\n').length > lineLimit);
  assert.deepEqual(long, []);
});
