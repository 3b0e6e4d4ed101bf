import { FakeTransport, jsonResponse } from '../edges/testing.ts';
import { type HttpResponse, TransportError } from '../edges/transport.ts';
import type { ClusterContext } from '../kube/contexts.ts';
import { createKubeClient } from '../kube/http-client.ts';
import type { ClosableTransport } from '../kube/rotating-transport.ts';
import type { Clock } from '../edges/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { MakeClient } from './region-handle.ts';
import type { RefusedRegistration, Registration, RegistrationSource } from './registration.ts';
import { openTenancy } from './tenancy.ts';

/** A cluster as far as registrations ask for it: whether it is ready, and its identity. */
export class FakeApi {
  uid: string;
  /** Answers 401 to everything, as after a token was revoked. */
  isRevoked = false;
  readonly paths: string[] = [];

  constructor(uid: string) {
    this.uid = uid;
  }

  answer(path: string): HttpResponse {
    this.paths.push(path);
    if (this.isRevoked) return jsonResponse(401, { kind: 'Status', code: 401, reason: 'Unauthorized' });
    if (path === '/readyz') return jsonResponse(200, 'ok');
    return jsonResponse(200, { kind: 'Namespace', metadata: { name: 'kube-system', uid: this.uid } });
  }
}

/** Connections to a FakeApi; it knows whether they were closed. */
export class FakeConnections extends FakeTransport implements ClosableTransport {
  isClosed = false;

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

/** Connects to the FakeApi that `apis` has for a context's server. */
export function connectTo(apis: ReadonlyMap<string, FakeApi>): {
  connect: (context: ClusterContext) => FakeConnections;
  made: FakeConnections[];
} {
  const made: FakeConnections[] = [];
  const connect = ({ server }: ClusterContext): FakeConnections => {
    const connections = new FakeConnections(({ path }) => {
      const api = apis.get(server);
      if (!api) throw new TransportError('refused', `nobody listens at ${server}`);
      return api.answer(path);
    });
    made.push(connections);
    return connections;
  };
  return { connect, made };
}

export function clientMaker(clock: Clock): MakeClient {
  return (_region, transport) =>
    createKubeClient({ transport, clock, fieldManager: 'test', userAgent: 'test', requestDeadlineMs: 5_000 });
}

/** A registration of `name` at `server`; what is in `more` counts. */
export function registrationOf(name: string, server: string, more: Partial<Registration> = {}): Registration {
  const context: ClusterContext = {
    name,
    file: 'test',
    server,
    namespace: 'default',
    credentials: () => Promise.resolve({ headers: {}, tls: {} }),
    dropCredentials: () => undefined,
  };
  return { name, origin: `test ${name}`, context, tenancy: openTenancy, fingerprint: server, ...more };
}

/** A source that has what a test gives it. */
export class FakeSource implements RegistrationSource {
  pending: string | undefined;
  retries = 0;
  #has: readonly (Registration | RefusedRegistration)[];
  #onChange: () => void = () => undefined;

  constructor(...has: readonly (Registration | RefusedRegistration)[]) {
    this.#has = has;
  }

  set(...has: readonly (Registration | RefusedRegistration)[]): void {
    this.#has = has;
    this.#onChange();
  }

  retryNow(): void {
    this.retries++;
  }

  read(): readonly (Registration | RefusedRegistration)[] {
    return this.#has;
  }

  run(signal: AbortSignal, onChange: () => void): Promise<void> {
    this.#onChange = onChange;
    return new Promise((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}

/** A logger that keeps its lines. */
export function listening(): Logger & { lines: string[] } {
  const lines: string[] = [];
  const say = (message: string, fields?: Record<string, unknown>): void => {
    lines.push(`${message} ${JSON.stringify(fields ?? {})}`);
  };
  const logger = { lines, debug: () => undefined, info: say, warn: say, error: say, child: () => logger };
  return logger;
}
