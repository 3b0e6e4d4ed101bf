import { type KubeObject, resources } from '../../../src/kube/objects.ts';
import type { Facts } from './facts.ts';
import type { Invariant } from './invariant.ts';
import { conditionOf, podsOf, statusOf, stayingRegions, underWay } from './reading.ts';

/** How long the status may lag behind the truth, milliseconds: a quiet ring is asked once a minute. */
const lagMs = 240_000;

/** Not in DESIGN's list, and what people build on: what the status says is so. */
export const readyIsTrue: Invariant = {
  name: 'Ready is true',
  statement:
    'While the status says Ready=True, the ring is exactly the planned pods, all NORMAL, CassKop is through with every member, and no other condition speaks against it; somebody will act on that sentence at three in the morning.',
  watch: (facts) => {
    let wrongSince: number | undefined;
    let wrong = '';
    let troubledMs = 0;
    /** Every version of every member: what a process has heard tells which of them it knows. */
    const members = new Map<string, KubeObject[]>();
    const isReady = (): boolean => conditionOf(facts.mcc(), 'Ready')?.status === 'True';
    return {
      onChange: (cluster, { resource, object, type }) => {
        if (resource.plural !== 'cassandraclusters') return undefined;
        if (type === 'DELETED') members.delete(cluster);
        const versions = members.get(cluster);
        if (type === 'DELETED') return undefined;
        if (versions) versions.push(object);
        else members.set(cluster, [object]);
        return undefined;
      },
      onWrite: ({ by, plural, succeeded, before, after }) => {
        if (plural !== 'multicassandraclusters' || !succeeded) return undefined;
        // While regions are still being read, facts are written beside the conditions of before.
        if (conditionOf(after, 'Ready')?.status !== 'True' || conditionOf(before, 'Ready')?.status === 'True')
          return undefined;
        const other = contradiction(after);
        if (other !== undefined) return `${by} said Ready=True, and in the same breath ${other}`;
        const gone = (statusOf(after).regions ?? []).filter(
          ({ stage }) => stage === 'Removed' || stage === 'Abandoned',
        );
        for (const { name } of facts.shape.regions) {
          if (gone.some((each) => each.name === name)) continue;
          const heard = facts.heard(by, name, 'cassandraclusters') ?? 0;
          const known = members.get(name)?.findLast((each) => Number(each.metadata.resourceVersion) <= heard);
          const pending = known && underWay(known);
          if (pending !== undefined) return `${by} said Ready=True although in region ${name} ${pending}`;
        }
        return undefined;
      },
      onRest: () => {
        const trouble = isReady() ? whatIsWrong(facts) : undefined;
        return trouble && `Ready=True in the end although ${trouble}`;
      },
      onTick: () => {
        const now = facts.nowMs();
        if (facts.isTroubled(0)) {
          troubledMs = now;
          wrongSince = undefined;
          return undefined;
        }
        if (!isReady()) {
          wrongSince = undefined;
          return undefined;
        }
        const mute = facts.shape.regions.find(({ name }) => {
          const since = facts.mutedSince(name);
          return since !== undefined && now - Math.max(since, troubledMs) > lagMs;
        });
        if (mute) return `Ready=True although nobody could ask a node of region ${mute.name} for ${lagMs / 1000} s`;
        const trouble = whatIsWrong(facts);
        if (trouble === undefined) {
          wrongSince = undefined;
          return undefined;
        }
        wrongSince ??= now;
        wrong = trouble;
        return now - wrongSince < lagMs ? undefined : `Ready=True for ${lagMs / 1000} s although ${wrong}`;
      },
    };
  },
};

/** What a status says that cannot be so while it is Ready. */
function contradiction(mcc: KubeObject | undefined): string | undefined {
  const { conditions = [], regions = [] } = statusOf(mcc);
  const other = conditions.find(
    ({ type, status }) => basis.has(type) && status !== (type === 'Stalled' ? 'False' : 'True'),
  );
  if (other) return `${other.type}=${other.status}: ${other.message}`;
  for (const { name, stage, conditions: own = [] } of regions) {
    if (stage === 'Removed' || stage === 'Abandoned') continue;
    if (stage !== 'Running') return `region ${name} is ${stage}`;
    const against = own.find(({ type, status }) => basis.has(type) && status !== 'True');
    if (against) return `${against.type}=${against.status} of region ${name}: ${against.message}`;
  }
  return undefined;
}

/** The conditions that Ready builds on. */
const basis = new Set(['Accepted', 'RingIntact', 'Stalled', 'Settled', 'RingMember', 'Applied']);

function whatIsWrong(facts: Facts): string | undefined {
  const nodes = [...facts.ring().nodes].filter((node) => node.mode === 'NORMAL' && node.isGossiping);
  for (const name of stayingRegions(facts.mcc(), facts.shape.regions)) {
    const member = facts.member(name);
    if (!member) return `region ${name} has no member`;
    const missing = podsOf(member).find((pod) => !nodes.some((node) => node.options.name === pod));
    if (missing !== undefined) return `${missing} of region ${name} is no NORMAL node`;
  }
  const hosts = new Set(nodes.map((node) => node.hostId));
  for (const node of nodes) {
    const seen = new Set(node.view.ring.map((state) => state.hostId));
    const unknown = [...hosts].find((host) => !seen.has(host));
    if (unknown !== undefined) return `${node.options.name} does not know host ${unknown}`;
    const stranger = node.view.ring.find((state) => !hosts.has(state.hostId));
    if (stranger) return `${node.options.name} counts on host ${stranger.hostId}, which does not run`;
  }
  return undefined;
}

/** Advice is followed; it must not do harm. */
export const adviceDoesNoHarm: Invariant = {
  name: 'advice does no harm',
  statement:
    'No condition tells a person to remove a host whose data is still on a disk of the federation: who follows it loses that node.',
  watch: (facts) => ({
    onChange: (cluster, { resource, object, type }) => {
      if (resource.plural !== 'multicassandraclusters' || cluster !== facts.shape.hub || type === 'DELETED')
        return undefined;
      for (const { type: condition, message } of statusOf(object).conditions ?? []) {
        for (const [, hostId = ''] of message.matchAll(/nodetool removenode ([0-9a-f-]{36})/g)) {
          const pod = facts.podWithDisk(hostId);
          if (pod !== undefined) return `${condition} advises to remove host ${hostId}, which is ${pod}`;
        }
      }
      return undefined;
    },
  }),
};

/** Advice is believed, too. */
export const adviceIsNeeded: Invariant = {
  name: 'advice is needed',
  statement:
    'No condition sends a person for what is there: a definition, a namespace or an account that could not be read is not missing, and who installs an operator again restarts what runs.',
  watch: (facts) => ({
    onWrite: ({ by, plural, succeeded, after }) => {
      if (plural !== 'multicassandraclusters' || !succeeded) return undefined;
      const { conditions = [], regions = [] } = statusOf(after);
      for (const { message } of [...conditions, ...regions.flatMap((region) => region.conditions ?? [])]) {
        for (const [, region = '', kind = '', name = ''] of message.matchAll(
          /region (\w+) lacks the (\w+) ([\w.-]+)/g,
        )) {
          const resource = needed.find((each) => each.kind.toLowerCase() === kind.toLowerCase());
          const there =
            resource && [...facts.server(region).all(resource)].some(({ metadata }) => metadata.name === name);
          if (there) return `${by} said that region ${region} lacks ${kind} ${name}, which is there`;
        }
      }
      return undefined;
    },
  }),
};

const needed = [resources.customResourceDefinitions, resources.namespaces, resources.serviceAccounts];

/** DESIGN invariant 14. */
export const removedHostsStayAway: Invariant = {
  name: 'removed hosts stay away',
  statement:
    'A host that was removed from the ring, or abandoned with its region, never comes back into any view: it would bring deleted rows back to life.',
  watch: (facts) => ({
    onTick: () => {
      const removed = facts.removedHosts();
      if (removed.size === 0) return undefined;
      for (const node of facts.ring().nodes) {
        if (node.mode !== 'NORMAL' || !node.isGossiping) continue;
        const back = node.view.ring.find(
          (state) => removed.has(state.hostId) && state.status === 'NORMAL' && node.view.isAlive(state),
        );
        if (back) return `${node.options.name} sees host ${back.hostId} at ${back.address} again, which was removed`;
      }
      return undefined;
    },
  }),
};

/** Rows are what it is all for. */
export const nodesHoldTheirRows: Invariant = {
  name: 'nodes hold their rows',
  statement:
    'A NORMAL node holds the rows of the ranges it owns, unless somebody took its disk: nothing we do makes it serve what it does not have.',
  watch: (facts) => ({
    onRest: () => {
      const [lacking] = facts.nodesWithoutTheirRows();
      return lacking === undefined ? undefined : `${lacking} owns ranges whose rows it does not have`;
    },
  }),
};
