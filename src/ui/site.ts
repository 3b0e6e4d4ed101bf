import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../edges/clock.ts';
import { keyOf } from '../kube/store.ts';
import type { RegionalOperator } from '../operators/operator.ts';
import { federationContent } from './federation-page.ts';
import { type FederationSight, viewFederation } from './federation-view.ts';
import { html, type Html } from './html.ts';
import { type Leader, page } from './layout.ts';
import { overviewContent } from './overview-page.ts';

export interface SiteOptions {
  readonly operator: RegionalOperator;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Everything there is to show, from the caches; undefined while the hub's objects are not known. Must not wait. */
  readonly federations: () => readonly FederationSight[] | undefined;
  readonly leader: () => Leader;
}

export interface SiteRequest {
  readonly method: string;
  /** Path and query as they were asked for. */
  readonly url: string;
  readonly ifNoneMatch: string | undefined;
}

export interface SiteAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Everything the page uses is its own; nothing may be loaded, sent or framed but that. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const securityHeaders = {
  'content-security-policy': contentSecurityPolicy,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  // Whoever looks again is told at once that nothing has changed.
  'cache-control': 'private, no-cache',
} as const;

const assets: ReadonlyMap<string, string> = new Map([
  ['page.css', 'text/css; charset=utf-8'],
  ['live.js', 'text/javascript; charset=utf-8'],
  ['icon.svg', 'image/svg+xml'],
]);

/** However many look on, a page is made at most this often. Milliseconds. */
const pageMaxAgeMs = 500;
/** Pages that are kept for that time. */
const pagesMax = 64;

interface Made {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly etag: string;
}

/** The status page below /ui, as a function from request to answer. It makes no request of its own. */
export class Site {
  readonly #options: SiteOptions;
  readonly #assets = new Map<string, Made>();
  readonly #pages = new Map<string, { readonly made: Made; readonly atMs: number }>();

  constructor(options: SiteOptions) {
    this.#options = options;
  }

  /** Undefined: the path is not of this site. */
  answer({ method, url, ifNoneMatch }: SiteRequest): SiteAnswer | undefined {
    const path = url.replace(/[?#].*$/s, '');
    if (path !== '/ui' && !path.startsWith('/ui/')) return undefined;
    if (method !== 'GET' && method !== 'HEAD') return plain(405, 'only GET and HEAD\n', { allow: 'GET, HEAD' });
    // Relative, since a proxy in front may know it by another path.
    if (path === '/ui') return plain(308, 'ui/\n', { location: 'ui/' });
    const { status, contentType, body, etag } = this.#find(path.slice('/ui/'.length));
    const headers = { ...securityHeaders, etag };
    if (status === 200 && matches(ifNoneMatch, etag)) return { status: 304, headers, body: '' };
    return { status, headers: { ...headers, 'content-type': contentType }, body };
  }

  #find(path: string): Made {
    const contentType = assets.get(path);
    if (contentType !== undefined) return this.#asset(path, contentType);
    const now = this.#options.clock.monotonic();
    const kept = this.#pages.get(path);
    if (kept && now - kept.atMs < pageMaxAgeMs) return kept.made;
    const made = this.#make(path);
    this.#pages.delete(path);
    this.#pages.set(path, { made, atMs: now });
    for (const oldest of this.#pages.keys()) {
      if (this.#pages.size <= pagesMax) break;
      this.#pages.delete(oldest);
    }
    return made;
  }

  #asset(name: string, contentType: string): Made {
    let asset = this.#assets.get(name);
    if (!asset) {
      const body = readFileSync(join(import.meta.dirname, 'assets', name), 'utf8');
      this.#assets.set(name, (asset = { status: 200, contentType, body, etag: etagOf(body) }));
    }
    return asset;
  }

  #make(path: string): Made {
    const { operator, federations, leader } = this.#options;
    const known = federations();
    const root = '../'.repeat(path.split('/').length - 1);
    const whole = (status: number, title: string, content: Html): Made => {
      const { text: body } = page({ title, root, leader: leader(), content });
      return { status, contentType: 'text/html; charset=utf-8', body, etag: etagOf(body) };
    };
    if (!known) return whole(503, 'Not yet', notice('Not yet', 'The objects of the hub are not known yet.'));
    if (path === '') {
      const views = known.map((each) => viewFederation(each, operator));
      const [only] = views;
      return only && views.length === 1
        ? whole(200, only.name, federationContent(only, root, true))
        : whole(200, 'Federations', overviewContent(views));
    }
    const sight = known.find(({ object }) => keyOf(object) === decoded(path));
    if (!sight) {
      return whole(404, 'Not here', notice('Not here', 'The hub has no MultiCassandraCluster of this name.', root));
    }
    const view = viewFederation(sight, operator);
    return whole(200, view.name, federationContent(view, root));
  }
}

function notice(title: string, sentence: string, root?: string): Html {
  const back = root !== undefined && html`<p><a href="${root}">All federations</a></p>`;
  return html`<div class="heading">
    <h1>${title}</h1>
    <p class="headline" role="status">${sentence}</p>
    ${back}
  </div>`;
}

function plain(status: number, body: string, headers: Record<string, string>): SiteAnswer {
  return { status, headers: { ...securityHeaders, 'content-type': 'text/plain; charset=utf-8', ...headers }, body };
}

function decoded(path: string): string | undefined {
  try {
    return path.split('/').map(decodeURIComponent).join('/');
  } catch {
    return undefined;
  }
}

function etagOf(body: string): string {
  return `"${createHash('sha256').update(body).digest('base64url')}"`;
}

/** As If-None-Match compares: weakly, since a proxy may have compressed the page. */
function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((each) => each.trim().replace(/^W\//, '') === etag);
}
