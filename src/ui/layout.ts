import type { Tone } from './condition-view.ts';
import { html, type Html, type Part } from './html.ts';

/** Who writes to the regions, as far as the process that serves the page knows. */
export interface Leader {
  /** Whether it is this process. */
  readonly isThis: boolean;
  /** Its name; undefined: there is no election, or nobody is known to lead. */
  readonly name: string | undefined;
}

export interface PageFrame {
  readonly title: string;
  /** The way from the page to /ui/, such as `../../` or ``: the page may be served behind any prefix. */
  readonly root: string;
  readonly leader: Leader;
  readonly content: Html;
}

/** A whole page around its content. */
export function page({ title, root, leader, content }: PageFrame): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Ringmaster</title>
        <link rel="icon" href="${root}icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="${root}page.css" />
        <script src="${root}live.js" type="module"></script>
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header class="bar">
          <a class="brand" href="${root === '' ? './' : root}"
            ><svg viewBox="0 0 32 32" aria-hidden="true">
              <circle cx="16" cy="16" r="11" />
              <circle class="bead" cx="16" cy="5" r="4" />
              <circle class="bead" cx="25.5" cy="21.5" r="4" />
              <circle class="bead" cx="6.5" cy="21.5" r="4" /></svg
            >Ringmaster</a
          >
          <p class="leader">${leaderWords(leader)}</p>
          <p class="live">Reload the page to see what has changed.</p>
        </header>
        <main id="content" tabindex="-1">${content}</main>
        <footer>
          <p>Read-only, from what the controller holds in its caches. Times are UTC.</p>
        </footer>
      </body>
    </html> `;
}

function leaderWords({ isThis, name }: Leader): Html {
  if (isThis) return name === undefined ? html`This replica leads.` : html`This replica leads: <code>${name}</code>`;
  return name === undefined
    ? html`This replica stands by; nobody is known to lead.`
    : html`This replica stands by; <code>${name}</code> leads.`;
}

const signs: Readonly<Record<Tone, Html>> = {
  good: html`<path d="M-4.5 0.5L-1.5 3.5L4.5 -3.5" />`,
  busy: html`<path d="M-4 0h0.01M0 0h0.01M4 0h0.01" />`,
  waiting: html`<path d="M-2.4 -3.2V3.2M2.4 -3.2V3.2" />`,
  bad: html`<path d="M0 -5V1M0 4.5V4.51" />`,
  unknown: html`<path d="M-2.6 -2.6A2.7 2.7 0 1 1 0 0.2V1.4M0 4.6V4.61" />`,
};

const toneWords: Readonly<Record<Tone, string>> = {
  good: 'good',
  busy: 'at work',
  waiting: 'waits',
  bad: 'needs attention',
  unknown: 'not known',
};

/** The sign of a tone, with its word for those who do not see it. */
export function toneSign(tone: Tone): Html {
  return html`<svg class="tone ${tone}" viewBox="-10 -10 20 20" role="img" aria-label="${toneWords[tone]}">
    <circle r="9" />
    ${signs[tone]}
  </svg>`;
}

/** A moment as people write it; the page has no time of its own, or it would change all the time. */
export function moment(since: string): Html | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(since)) return undefined;
  return html`<time datetime="${since}">${since.slice(0, 10)} ${since.slice(11, 16)}</time>`;
}

/** Text in which what stands in backticks is literal. */
export function literals(text: string): Part {
  return text.split('`').map((piece, index) => (index % 2 === 1 ? html`<code>${piece}</code>` : piece));
}

/** Makes a count and its noun: `1 region`, `3 regions`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
