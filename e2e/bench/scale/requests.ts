import { readFileSync } from 'node:fs';
import { controllerUser } from '../../harness/index.ts';

/** What a request of the controller is for. */
export type Purpose =
  | 'write'
  | 'lease'
  | 'list of what is watched'
  | 'watch begun anew'
  | 'question to a node'
  | 'readyz'
  | 'premises'
  | 'other read';

interface AuditEvent {
  verb: string;
  requestURI: string;
  user: { username: string };
  objectRef?: { resource?: string; subresource?: string };
  requestReceivedTimestamp: string;
  stageTimestamp: string;
}

const watched = [
  'cassandraclusters',
  'configmaps',
  'statefulsets',
  'persistentvolumeclaims',
  'pods',
  'multicassandraclusters',
  'secrets',
];
const premises = ['namespaces', 'customresourcedefinitions', 'serviceaccounts'];

/**
 * What the controller asked API servers for between two moments (Unix milliseconds), from their audit logs. A watch
 * counts when it ends: that is when it is logged, and when the next one begins.
 */
export function requestsBetween(auditLogs: readonly string[], from: number, to: number): Map<Purpose, number> {
  const counts = new Map<Purpose, number>();
  for (const log of auditLogs) {
    for (const line of readFileSync(log, 'utf8').split('\n')) {
      if (!line.includes(controllerUser)) continue;
      const event = JSON.parse(line) as AuditEvent;
      const at = Date.parse(event.verb === 'watch' ? event.stageTimestamp : event.requestReceivedTimestamp);
      if (event.user.username !== controllerUser || at < from || at > to) continue;
      const purpose = purposeOf(event);
      counts.set(purpose, (counts.get(purpose) ?? 0) + 1);
    }
  }
  return counts;
}

function purposeOf({ verb, requestURI, objectRef: { resource = '', subresource } = {} }: AuditEvent): Purpose {
  if (resource === 'leases') return 'lease';
  if (!['get', 'list', 'watch'].includes(verb)) return 'write';
  if (verb === 'watch') return 'watch begun anew';
  if (subresource === 'proxy') return 'question to a node';
  if (watched.includes(resource)) return 'list of what is watched';
  if (premises.includes(resource)) return 'premises';
  return requestURI.startsWith('/readyz') ? 'readyz' : 'other read';
}
