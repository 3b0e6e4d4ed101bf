import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Site, SiteAnswer, SiteRequest } from '../ui/site.ts';

export interface HealthServerOptions {
  /** `0` takes any free port. */
  port: number;
  host: string;
  ready(): boolean;
  /** The metrics page in Prometheus's text format, and its content type. */
  metrics(): Promise<{ contentType: string; text: string }>;
  /** The status page, below /ui; without it there is none. */
  site?: Pick<Site, 'answer'>;
}

/** Connections at once; more would take from those to the regions. */
const connectionsMax = 256;

/**
 * Serves /healthz (the process runs), /readyz (the hub's objects are known), /metrics and the status page.
 * @throws the listen error, e.g. EADDRINUSE.
 */
export async function serveHealth(options: HealthServerOptions): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const { method = 'GET', url = '/' } = request;
    const ifNoneMatch = request.headers['if-none-match'];
    void answer(options, { method, url, ifNoneMatch }).then(({ status, headers, body }) => {
      // A 304 has no body, and a length would be that of the page.
      response.writeHead(status, status === 304 ? headers : { ...headers, 'content-length': Buffer.byteLength(body) });
      response.end(body);
    });
  });
  server.maxConnections = connectionsMax;
  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(options: HealthServerOptions, request: SiteRequest): Promise<SiteAnswer> {
  const plain = (status: number, body: string): SiteAnswer => ({
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body,
  });
  switch (request.url.replace(/\?.*$/, '')) {
    case '/healthz':
      return plain(200, 'ok\n');
    case '/readyz':
      return options.ready() ? plain(200, 'ok\n') : plain(503, 'the objects of the hub are not known yet\n');
    case '/metrics':
      try {
        const { contentType, text: body } = await options.metrics();
        return { status: 200, headers: { 'content-type': contentType }, body };
      } catch (error) {
        return plain(500, `metrics cannot be collected: ${messageOf(error)}\n`);
      }
    default:
      try {
        const here = options.site ? '/healthz, /readyz, /metrics and /ui' : '/healthz, /readyz and /metrics';
        return options.site?.answer(request) ?? plain(404, `there is ${here}\n`);
      } catch (error) {
        // Whoever looks on must not be able to end the controller.
        return plain(500, `the page cannot be made: ${messageOf(error)}\n`);
      }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function listen(server: Server, { host, port }: HealthServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
