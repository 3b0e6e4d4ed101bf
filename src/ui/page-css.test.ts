import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const css = readFileSync(join(import.meta.dirname, 'assets/page.css'), 'utf8');

/** By name: the colour in the light and in the dark. */
const colours = new Map(
  [...css.matchAll(/--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(
    ([, name = '', light = '', dark = '']) => [name, [light, dark] as const],
  ),
);

/** Relative luminance as WCAG 2.2 defines it. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

const grounds = ['ground', 'panel'];
const pairs: (readonly [text: string, ground: string, least: number])[] = [
  ...grounds.flatMap((ground) =>
    ['ink', 'muted', 'link', 'good', 'busy', 'bad', 'unknown'].map((text) => [text, ground, 4.5] as const),
  ),
  ...['good', 'busy', 'bad', 'unknown'].map((tone) => [tone, `${tone}-tint`, 4.5] as const),
  // Signs of nodes on the bands of regions.
  ...['good', 'busy', 'bad', 'unknown'].flatMap((state) =>
    ['band', 'good-tint', 'busy-tint', 'bad-tint'].map((ground) => [state, ground, 3] as const),
  ),
];

for (const [index, scheme] of ['light', 'dark'].entries()) {
  test(`in the ${scheme} text can be read on all it stands on, and signs be told from it`, () => {
    for (const [text, ground, least] of pairs) {
      const [one, other] = [colours.get(text)?.[index], colours.get(ground)?.[index]];
      assert.ok(one !== undefined && other !== undefined, `${text} on ${ground}`);
      assert.ok(contrast(one, other) >= least, `${text} on ${ground}: ${contrast(one, other).toFixed(2)}`);
    }
  });
}

test('nothing is loaded from elsewhere', () => {
  assert.doesNotMatch(css, /url\(|@import/);
});
