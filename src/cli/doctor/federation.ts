import type { Status } from '../../api/schema.ts';
import type { PlanContext } from '../../federation/context.ts';
import { isReady } from '../../federation/picture.ts';
import { mattersOf } from '../../api/matters.ts';
import type { Finding, Tell } from './finding.ts';

/** What a MultiCassandraCluster itself says. Pure. */
export function statusFindings(tell: Tell, name: string, generation: number, status: Status | undefined): Finding[] {
  if (status?.observedGeneration === undefined) {
    const message = 'no controller has looked at it';
    return [tell('status', 'failure', message, 'see under leader: a controller of this hub has to run')];
  }
  const behind =
    status.observedGeneration === generation
      ? []
      : [tell('status', 'warning', 'its status does not speak of the spec as it is now', 'see under leader')];
  const { yourTurn } = mattersOf(status);
  const matters = yourTurn.map(({ region, reason, message, todo, statements }) =>
    tell(
      'status',
      'failure',
      `${region === undefined ? '' : `${region}: `}${reason}: ${message}`,
      statements.length > 0 ? statements.join('\n') : (todo ?? `ringmaster status ${name}`),
    ),
  );
  if (behind.length + matters.length > 0) return [...behind, ...matters];
  return [tell('status', 'ok', 'nothing waits for a person')];
}

/** Whether all nodes that could be heard here are in one ring. Pure. */
export function ringFinding(tell: Tell, { ring, pictures, views }: PlanContext): Finding {
  const ready = pictures.flatMap((picture) => (picture.known ? picture.snapshot.pods.filter(isReady) : []));
  const unseen = pictures.filter(({ known }) => !known).map(({ region }) => region.name);
  const but = unseen.length === 0 ? '' : `; of ${unseen.join(', ')} nothing is known`;
  switch (ring.kind) {
    case 'unknown':
      return tell('ring', ready.length === 0 ? 'unseen' : 'failure', `no node of the ring was heard${but}`);
    case 'split': {
      const parties = ring.parties.map(({ pods }) => pods.join(', ')).join(' | ');
      const todo = 'keep the ring with the data; empty the pods of the other, one region at a time';
      return tell('ring', 'failure', `there is more than one ring: ${parties}`, todo);
    }
    case 'differing':
      return tell(
        'ring',
        'warning',
        `the nodes do not agree on the ring: ${ring.why}`,
        'look again in a minute; then look for a network that is cut one way',
      );
    case 'one': {
      const rest = ring.busy === undefined ? '' : `; it is not at rest: ${ring.busy}`;
      const message = `${views.size} nodes see one ring of the same ${ring.hosts.size} hosts${rest}${but}`;
      return tell('ring', ring.busy === undefined && unseen.length === 0 ? 'ok' : 'warning', message);
    }
  }
}
