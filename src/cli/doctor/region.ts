import { findCondition } from '../../api/conditions.ts';
import { whatToDo } from '../../api/what-to-do.ts';
import { changesOf } from '../../federation/changes.ts';
import type { PlanContext } from '../../federation/context.ts';
import { answeredFor, hasGone, isReady, type KnownPicture, type RegionPicture } from '../../federation/picture.ts';
import type { Finding, Tell } from './finding.ts';

/** What the snapshot tells of one region, in the order in which one thing needs the other. Pure. */
export function regionFindings(tell: Tell, context: PlanContext, picture: RegionPicture): Finding[] {
  if (!picture.known) return [unseenFinding(tell, picture)];
  return [
    seenFinding(tell, picture),
    ...premiseFindings(tell, context, picture),
    memberFinding(tell, context, picture),
    ...volumeFindings(tell, picture),
    ...nodeFindings(tell, context, picture),
  ];
}

/** The controller looks from another place than whoever runs this. */
function unseenFinding(tell: Tell, { region, snapshot, recorded }: Extract<RegionPicture, { known: false }>): Finding {
  const said = findCondition(recorded?.conditions, 'Reachable');
  const { message } = snapshot;
  if (said?.status === 'True' && snapshot.reason !== 'IdentityChanged') {
    const text = `it cannot be seen from here, while the controller says that it answers: ${message}`;
    return tell(
      'reachable',
      'warning',
      text,
      `run this where the controller runs, or mend your context ${region.context}`,
    );
  }
  const todo = unanswered.has(snapshot.reason) ? undefined : whatToDo('Reachable', snapshot.reason);
  return tell(
    'reachable',
    'failure',
    `it cannot be seen: ${message}`,
    todo ?? `kubectl --context ${region.context} get --raw /readyz`,
  );
}

/** Where the server itself tells more than we know. */
const unanswered: ReadonlySet<string> = new Set(['Unreachable', 'Unauthorized', 'NotSynced', 'BehindOwnWrite']);

function seenFinding(tell: Tell, { region, recorded }: KnownPicture): Finding {
  const said = findCondition(recorded?.conditions, 'Reachable');
  if (said?.status !== 'False') return tell('reachable', 'ok', `context ${region.context} answers`);
  const message = `context ${region.context} answers from here, and does not answer the controller: ${said.message}`;
  return tell(
    'reachable',
    'failure',
    message,
    'look at routes, firewalls and the credentials between the controller and that cluster',
  );
}

function premiseFindings(tell: Tell, { operator }: PlanContext, { region, snapshot }: KnownPicture): Finding[] {
  const { context, namespace } = region;
  if (!snapshot.namespaceExists) {
    const todo = `kubectl --context ${context} create namespace ${namespace}`;
    return [tell('namespace', 'failure', `there is no namespace ${namespace}`, todo)];
  }
  const account = operator.serviceAccount(region);
  const there = tell('namespace', 'ok', `namespace ${namespace} is there`);
  if (snapshot.serviceAccountExists) {
    return [there, tell('serviceaccount', 'ok', `ServiceAccount ${account}, which the pods run as, is there`)];
  }
  const message = `there is no ServiceAccount ${account}, which the pods run as: none of them would be let start`;
  const todo = `kubectl --context ${context} -n ${namespace} create serviceaccount ${account}`;
  return [there, tell('serviceaccount', 'failure', message, todo)];
}

function memberFinding(tell: Tell, context: PlanContext, picture: KnownPicture): Finding {
  const { region, member } = picture;
  const name = `CassandraCluster ${context.federation.clusterName}`;
  if (!member) {
    return hasGone(picture) || picture.recorded?.stage === 'Waiting'
      ? tell('member', 'ok', `there is no ${name}, as it should be by now`)
      : tell(
          'member',
          'warning',
          `there is no ${name} yet`,
          `ringmaster status ${context.federation.name} says what it waits for`,
        );
  }
  if (!answeredFor(picture)) {
    const message = `${name} belongs to somebody else, or to another MultiCassandraCluster; it is left untouched`;
    return tell(
      'member',
      'failure',
      message,
      `kubectl --context ${region.context} -n ${region.namespace} get cassandracluster ${context.federation.clusterName} -o yaml`,
    );
  }
  const { changes, drifted, rejected } = changesOf(context, picture);
  if (changes.length === 0) return tell('member', 'ok', `${name} is what the spec asks for`);
  const fields = changes.map(({ path }) => path).join(', ');
  if (rejected) {
    return tell(
      'member',
      'failure',
      `CassKop has put ${fields} of ${name} back`,
      "read CassKop's log, and change the spec",
    );
  }
  if (drifted) {
    const message = `somebody has changed ${fields} of ${name} since Ringmaster wrote it`;
    return tell(
      'member',
      'warning',
      message,
      'Ringmaster puts it right where that is safe; to keep the edit, put it into the spec',
    );
  }
  return tell('member', 'ok', `${name} is to be changed in ${fields}: ringmaster plan says what that costs`);
}

/** A node that starts on the disk of a former one refuses to join, or revives an old ring. */
function volumeFindings(tell: Tell, picture: KnownPicture): Finding[] {
  const { region, snapshot, pods } = picture;
  if (!snapshot.namespaceExists) return [];
  const owners = hasGone(picture)
    ? []
    : [...pods.map(({ name }) => name), ...snapshot.pods.map(({ metadata }) => metadata.name)];
  const left = snapshot.claims
    .map(({ metadata }) => metadata.name)
    .filter((claim) => !owners.some((pod) => claim.endsWith(`-${pod}`)));
  if (left.length === 0) return [tell('volumes', 'ok', 'no volumes of former nodes are left')];
  const message = `volumes of former nodes are left, and a node of that name would start on them: ${left.join(', ')}`;
  const todo = `if their data is not needed: kubectl --context ${region.context} -n ${region.namespace} delete pvc ${left.join(' ')}`;
  return [tell('volumes', 'warning', message, todo)];
}

function nodeFindings(tell: Tell, { views }: PlanContext, { region, snapshot, pods }: KnownPicture): Finding[] {
  if (!snapshot.member) return [];
  const logs = (pod: string): string =>
    `kubectl --context ${region.context} -n ${region.namespace} describe pod ${pod}`;
  const asked = pods.map(({ name }) => ({ name, pod: snapshot.pods.find(({ metadata }) => metadata.name === name) }));
  const bad = asked.flatMap(({ name, pod }): Finding[] => {
    if (!pod) return [tell('nodes', 'warning', `pod ${name} is missing`, logs(name))];
    if (!isReady(pod)) return [tell('nodes', 'warning', `pod ${name} is not ready`, logs(name))];
    const view = views.get(name);
    if (!view) {
      const why = snapshot.unreadable[name] ?? 'no answer came';
      return [tell('nodes', 'failure', `node ${name} cannot be asked over Jolokia (port 8778): ${why}`, logs(name))];
    }
    if (view.operationMode !== 'NORMAL')
      return [tell('nodes', 'warning', `node ${name} is ${view.operationMode}`, logs(name))];
    const down = Object.keys(view.hosts).filter((address) => !view.live.includes(address));
    if (down.length === 0) return [];
    const message = `node ${name} holds ${down.join(', ')} to be down`;
    return [
      tell('nodes', 'failure', message, `from region ${region.name}, look at the way to port 7000 of those addresses`),
    ];
  });
  if (bad.length > 0 || pods.length === 0) return bad;
  const [first] = pods;
  const hosts = Object.keys(views.get(first?.name ?? '')?.hosts ?? {}).length;
  return [
    tell(
      'nodes',
      'ok',
      `${pods.length === 1 ? 'its node' : `each of its ${pods.length} nodes`} is NORMAL and hears all ${hosts} hosts of the ring`,
    ),
  ];
}
