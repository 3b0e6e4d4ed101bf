import { readFileSync } from 'node:fs';

/** One write in an API server's audit log; `what` is resource, subresource and name. */
export interface AuditedWrite {
  verb: string;
  namespace: string | undefined;
  what: string;
  at: string;
  status: number;
}

const reads: readonly string[] = ['get', 'list', 'watch'];

/** What one user wrote to an API server, from its audit log, in order. */
export function writesBy(auditLog: string, username: string): AuditedWrite[] {
  return readFileSync(auditLog, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter((event) => event.user.username === username && !reads.includes(event.verb))
    .map(({ verb, objectRef, requestReceivedTimestamp, responseStatus }) => ({
      verb,
      namespace: objectRef?.namespace,
      what: [objectRef?.resource, objectRef?.subresource, objectRef?.name].filter((part) => part).join('/'),
      at: requestReceivedTimestamp,
      status: responseStatus?.code ?? 0,
    }));
}

interface AuditEvent {
  verb: string;
  user: { username: string };
  objectRef?: { namespace?: string; resource?: string; subresource?: string; name?: string };
  requestReceivedTimestamp: string;
  responseStatus?: { code: number };
}
