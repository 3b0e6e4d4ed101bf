import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { findChromium } from '../harness/toolchain/chromium.ts';

/** A browser that asks nobody for anything but what a test has it open. */
export async function launchBrowser(): Promise<Browser | undefined> {
  const executablePath = await findChromium();
  if (executablePath === undefined) return undefined;
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** A page, and all that went on behind it. */
export interface Visit extends AsyncDisposable {
  readonly page: Page;
  /** What the console said, violations of the content security policy included, and errors of scripts. */
  readonly complaints: readonly string[];
  /** Addresses of all requests. */
  readonly requests: readonly string[];
}

/** Opens `url` in a profile of its own. */
export async function visit(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(url);
  return { page, complaints, requests, [Symbol.asyncDispose]: () => context.close() };
}

/** What is wrong with a page for those who do not see it, or see it in another way; nothing: []. */
export async function barriers(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`(() => {
    const found = [];
    const all = (selector) => [...document.querySelectorAll(selector)];
    const say = (what, list) => { for (const each of list) found.push(what + ': ' + each.outerHTML.slice(0, 200)); };
    if (document.documentElement.lang === '') found.push('no language');
    for (const one of ['header.bar', 'main', 'footer', 'h1', 'head > title']) if (all(one).length !== 1) found.push('not one ' + one);
    say('table without a caption', all('table').filter((each) => !each.caption?.textContent.trim()));
    say('header cell without a scope', all('th').filter((each) => !each.scope));
    say('picture without words', all('svg, img').filter((each) => {
      if (each.getAttribute('aria-hidden') === 'true' || each.getAttribute('aria-label')) return false;
      const ids = (each.getAttribute('aria-labelledby') ?? '').split(' ');
      return each.getAttribute('role') !== 'img' || !ids.every((id) => document.getElementById(id)?.textContent.trim());
    }));
    say('section without a name', all('section, article, nav, progress').filter((each) =>
      !each.getAttribute('aria-label') && !document.getElementById(each.getAttribute('aria-labelledby') ?? '')));
    const ids = all('[id]').map((each) => each.id);
    for (const id of new Set(ids)) if (ids.filter((each) => each === id).length > 1) found.push('twice: #' + id);
    const levels = all('h1, h2, h3').map((each) => Number(each.tagName[1]));
    levels.forEach((level, at) => { if (at > 0 && level > levels[at - 1] + 1) found.push('a level of headings is left out'); });
    if (document.scrollingElement.scrollWidth > innerWidth) found.push('wider than the screen: ' + document.scrollingElement.scrollWidth);
    return found;
  })()`);
}
