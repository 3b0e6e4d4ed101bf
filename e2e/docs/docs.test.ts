import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { reasons } from '../../src/api/conditions.ts';
import { command } from '../harness/run/command.ts';

const root = join(import.meta.dirname, '../..');
const pages = (await command('git', ['ls-files', '*.md', '**/*.md'], { cwd: root })).trim().split('\n');
const textOf = (page: string): string => readFileSync(join(root, page), 'utf8');
const withoutCode = (text: string): string =>
  text.replaceAll(/^```.*?^```/gms, '').replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()]/g, ''));

/** Anchors as they are made of headings where the pages are read. */
function anchorsOf(page: string): Set<string> {
  const headings = [...withoutCode(textOf(page)).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
  const counts = new Map<string, number>();
  const explicit = [...textOf(page).matchAll(/<a id="([^"]*)">/g)].map(([, anchor = '']) => anchor);
  return new Set(
    explicit.concat(
      headings.map((heading) => {
        const anchor = heading
          .toLowerCase()
          .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
          .replaceAll(' ', '-');
        const count = counts.get(anchor) ?? 0;
        counts.set(anchor, count + 1);
        return count === 0 ? anchor : `${anchor}-${count}`;
      }),
    ),
  );
}

describe('the pages for people', () => {
  test('lead to files and headings that are there', () => {
    assert.ok(pages.includes('README.md'));
    const broken = pages.flatMap((page) =>
      [...withoutCode(textOf(page)).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
        if (/^[a-z]+:/.test(link)) return [];
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? page : relative(root, join(root, dirname(page), path));
        if (!existsSync(join(root, target))) return [`${page}: ${link}`];
        if (anchor === undefined || !target.endsWith('.md') || anchorsOf(target).has(anchor)) return [];
        return [`${page}: ${link}`];
      }),
    );
    assert.deepEqual(broken, []);
  });

  test('name conditions with reasons that there are', () => {
    const known = reasons as Record<string, Record<string, string>>;
    const wrong = pages.flatMap((page) =>
      [...textOf(page).matchAll(/`([A-Z]\w+)=(?:True|False|Unknown), (\w+)/g)].flatMap(
        ([said, type = '', reason = '']) => (known[type]?.[reason] === undefined ? [`${page}: ${said}`] : []),
      ),
    );
    assert.deepEqual(wrong, []);
  });

  test('name targets of make that there are', () => {
    const targets = new Set(
      [...readFileSync(join(root, 'Makefile'), 'utf8').matchAll(/^([a-z-]+):/gm)].map(([, name]) => name),
    );
    const wrong = pages.flatMap((page) =>
      [...textOf(page).matchAll(/(?:^|`)make ([a-z-]+)/gm)].flatMap(([said, name]) =>
        targets.has(name) ? [] : [`${page}: ${said}`],
      ),
    );
    assert.deepEqual(wrong, []);
  });

  test('name commands and flags of ringmaster that there are', async () => {
    const help = (...args: string[]): Promise<string> =>
      command(process.execPath, [join(root, 'src/cli/main.ts'), ...args, '--help']);
    const commands = [...(await help()).matchAll(/^ {2}([a-z]+)\b/gm)].map(([, name = '']) => name);
    const flags = new Map<string, string>();
    for (const name of commands) flags.set(name, name === 'help' ? '' : await help(name));
    const wrong: string[] = [];
    for (const page of pages)
      for (const [said, name = '', rest = ''] of textOf(page).matchAll(
        /(?:^(?:\$ )?|`)ringmaster ([a-z]+)([^`|\n]*)/gm,
      )) {
        const known = flags.get(name);
        const strange = [...rest.matchAll(/(?<=\s)(--[a-z-]+)/g)].filter(([flag]) => !known?.includes(flag));
        if (known === undefined || strange.length > 0) wrong.push(`${page}: ${said}`);
      }
    assert.deepEqual(wrong, []);
  });
});
