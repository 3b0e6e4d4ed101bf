import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HealthServerOptions {
  /** `0` takes any free port. */
  port: number;
  host: string;
  ready(): boolean;
  /** The metrics page in Prometheus's text format, and its content type. */
  metrics(): Promise<{ contentType: string; text: string }>;
}

/**
 * Serves /healthz (the process runs), /readyz (the hub's objects are known) and /metrics.
 * @throws the listen error, e.g. EADDRINUSE.
 */
export async function serveHealth(options: HealthServerOptions): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    void answer(options, request.url ?? '/').then(({ status, contentType, text }) => {
      response.writeHead(status, { 'content-type': contentType });
      response.end(text);
    });
  });
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

interface Answer {
  status: number;
  contentType: string;
  text: string;
}

async function answer(options: HealthServerOptions, url: string): Promise<Answer> {
  const plain = (status: number, text: string): Answer => ({ status, contentType: 'text/plain; charset=utf-8', text });
  switch (url.replace(/\?.*$/, '')) {
    case '/healthz':
      return plain(200, 'ok\n');
    case '/readyz':
      return options.ready() ? plain(200, 'ok\n') : plain(503, 'the objects of the hub are not known yet\n');
    case '/metrics':
      try {
        return { status: 200, ...(await options.metrics()) };
      } catch (error) {
        return plain(500, `metrics cannot be collected: ${error instanceof Error ? error.message : String(error)}\n`);
      }
    default:
      return plain(404, 'there is /healthz, /readyz and /metrics\n');
  }
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
