import { readFileSync } from 'node:fs';

/** One write in an API server's audit log; `what` is resource, subresource and name. */
export interface AuditedWrite {
  verb: string;
  namespace: string | undefined;
  what: string;
  at: string;
  status: number;
  /** The program that sent it. */
  userAgent: string;
}

const reads: readonly string[] = ['get', 'list', 'watch'];

/** What one user wrote to an API server, from its audit log, in order. */
export function writesBy(auditLog: string, username: string): AuditedWrite[] {
  return readFileSync(auditLog, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter((event) => event.user.username === username && !reads.includes(event.verb))
    .map(({ verb, objectRef, requestReceivedTimestamp, responseStatus, userAgent = '' }) => ({
      verb,
      namespace: objectRef?.namespace,
      what: [objectRef?.resource, objectRef?.subresource, objectRef?.name].filter((part) => part).join('/'),
      at: requestReceivedTimestamp,
      status: responseStatus?.code ?? 0,
      userAgent,
    }));
}

/** What one user told nodes to do with the ring through pods/proxy, in order: `orders-eu-rack1-0 decommission/true`. */
export function ordersBy(auditLog: string, username: string, namespace: string): string[] {
  const order = new RegExp(
    `/namespaces/${namespace}/pods/([^/:]+):8778/proxy/jolokia/exec/[^/]+/((?:decommission|removeNode)/[^?]+)`,
  );
  return readFileSync(auditLog, 'utf8')
    .split('\n')
    .filter((line) => line.includes('/proxy/jolokia/exec/'))
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter((event) => event.user.username === username)
    .flatMap(({ requestURI }) => {
      const [, pod, told] = order.exec(requestURI) ?? [];
      return pod === undefined ? [] : [`${pod} ${told}`];
    });
}

interface AuditEvent {
  requestURI: string;
  verb: string;
  user: { username: string };
  objectRef?: { namespace?: string; resource?: string; subresource?: string; name?: string };
  requestReceivedTimestamp: string;
  responseStatus?: { code: number };
  userAgent?: string;
}
