import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stepsOf, withOutputs, withoutAccidents, withoutNoise } from './console-page.ts';

const page = '# A page\n\n```console\n$ one --flag\nsaid 1\nsaid 2\n\n$ two\n```\n\n```sh\n$ not run\n```\n';

test('commands and their outputs are read from console blocks only', () => {
  assert.deepEqual(stepsOf(page), [
    { command: 'one --flag', output: 'said 1\nsaid 2' },
    { command: 'two', output: '' },
  ]);
});

test('other outputs take the place of those that stand there, and all else stays', () => {
  const written = withOutputs(page, ['other', 'more']);
  assert.deepEqual(
    stepsOf(written).map(({ output }) => output),
    ['other', 'more'],
  );
  assert.equal(
    withOutputs(
      written,
      stepsOf(page).map(({ output }) => output),
    ),
    page,
  );
});

test('what two runs may print in two ways is the same, and what they may not is not', () => {
  const one = 'orders   True  2/2  41s  198.18.17.16  65f858dc-469d-49f7-bf44-fc8af4893672';
  const other = 'orders True  2/2  1m3s  198.18.18.1  e26c5caa-4959-4270-824b-b77993864121';
  assert.equal(withoutAccidents(one), withoutAccidents(other));
  const pod = 'ringmaster-7958c8777-jmg9z_65f858dc-469d-49f7-bf44-fc8af4893672 leads, ringmaster-token-zkwbdx in eu';
  const peer = 'ringmaster-65c8df4dd9-xk2lp_e26c5caa-4959-4270-824b-b77993864121 leads, ringmaster-token-ebkziu in eu';
  assert.equal(withoutAccidents(pod), withoutAccidents(peer));
  assert.notEqual(withoutAccidents(one), withoutAccidents(other.replace('True', 'False')));
  assert.notEqual(withoutAccidents(one), withoutAccidents(other.replace('2/2', '1/2')));
});

test('what only waiting prints is no output, and all else is', () => {
  const noise =
    'I1121 20:14:35.8 3420 reflector.go:664] "watch ended"\nWaiting for deployment "one" to finish: 0 of 2\n';
  assert.equal(withoutNoise(`${noise}NAME: one\nInstalled\n`), 'NAME: one\nInstalled\n');
});
