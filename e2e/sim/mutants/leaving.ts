import type { Mutant } from './mutant.ts';

/** Mistakes in how regions leave the ring. */
export const leavingMutants: readonly Mutant[] = [
  {
    name: 'a region leaves before its keyspaces have',
    breaks: 'keyspaces leave first',
    history: 'a region leaves a keyspace',
    file: 'federation/leave.ts',
    find: '  if (alterations.length === 0) return undefined;',
    replace: "  if (alterations.length === 0 || which === 'users') return undefined;",
  },
  {
    name: 'nodes leave whatever the rest of the ring is about',
    breaks: 'one node leaves at a time',
    history: 'a node goes down while a region leaves',
    file: 'federation/leave.ts',
    find: `    ringObstacle(pictures, hosts, ring, views) ??
    staleObstacle(views, snapshot.monotonicMs);
  if (gate) return waitFor({ ...gate, region: name });
  const why = \`let`,
    replace: `    (ringObstacle(pictures, hosts, ring, views) && undefined);
  if (gate) return waitFor({ ...gate, region: name });
  const why = \`let`,
  },
  {
    name: 'that a region leaves is recorded with its first node gone',
    breaks: 'nodes leave as asked',
    history: 'a region leaves',
    file: 'federation/leave.ts',
    find: '  return gate ? waitFor({ ...gate, region: name }) : { ...noSteps, leaves: [name], busy: true };',
    replace: `  if (gate) return waitFor({ ...gate, region: name });
  const last = picture.pods.at(-1);
  const hostId = last && context.hosts.joined.get(last.name);
  if (picture.known && hostId !== undefined) {
    const order = nodeOrder(picture, { pod: last.name, hostId }, { what: 'decommission' }, \`let \${last.name} leave\`);
    return { ...noSteps, intents: [order], busy: true };
  }
  return { ...noSteps, leaves: [name], busy: true };`,
  },
  {
    name: 'a region is let go of while one of its nodes is in the ring',
    breaks: 'a region goes when its nodes have left',
    history: 'a region leaves',
    file: 'federation/leave.ts',
    find: '  if (last) return decommission',
    replace: '  if (last && last.ordinal > 0) return decommission',
  },
  {
    name: 'a region that is alive is given up',
    breaks: 'only the dead are removed',
    history: 'a region that is alive is given up',
    file: 'federation/abandon.ts',
    find: 'return view.live.flatMap((address) => view.hosts[address] ?? []).filter((host) => hosts.includes(host));',
    replace:
      'return view.live.flatMap((address) => view.hosts[address] ?? []).filter((host) => hosts.includes(host) && false);',
  },
  {
    name: 'a member is deleted by its name alone',
    breaks: 'deletes are exact',
    history: 'a region leaves',
    file: 'federation/execute.ts',
    find: 'return client.delete(write.resource, write.ref, { uid, resourceVersion }, signal);',
    replace:
      "return client.delete(write.resource, write.ref, { uid: '', resourceVersion: resourceVersion && uid && '' }, signal);",
  },
  {
    name: 'the guard stays open for nodes that have left',
    breaks: 'who has left does not start',
    history: 'a node that has left comes back without its disk',
    file: 'federation/guard-writes.ts',
    find: '    .filter((name) => !hosts.joined.has(name));',
    replace: "    .filter((name) => !hosts.joined.has(name) && name === '');",
  },
  {
    name: 'a region that comes back from the dead is believed what its guard says',
    breaks: 'whoever was given up stays out',
    history: 'a region that was given up returns',
    file: 'federation/memory.ts',
    find: "      picture.region.state === 'Abandoned' && abandonedHosts.includes(hostId);",
    replace:
      "      picture.region.state !== 'Abandoned' && picture.region.name === '' && abandonedHosts.includes(hostId);",
  },
  {
    name: 'a region that was given up is removed while rows are only there',
    breaks: 'rows outlive their region',
    history: 'a region leaves with rows of its own',
    file: 'ring/keyspaces.ts',
    find: '  if (to.length === 0) {',
    replace: "  if (to.length === 0 && was === '') {",
  },
  {
    name: 'the founder comes back as if it founded the ring once more',
    breaks: 'keyspaces are ready for a new datacenter',
    history: 'the founder leaves, and comes back to rows',
    file: 'federation/grow.ts',
    find: '    const founds = picture.region.name === memory.founder && hosts.joined.size === 0;\n',
    replace: '    const founds = picture.region.name === memory.founder && hosts.joined.size >= 0;\n',
  },
  {
    name: 'orders to nodes pass no fence',
    breaks: 'nodes leave as asked',
    history: 'a controller stands still as a node is told to leave',
    file: 'ring/jolokia.ts',
    find: '{ changes: true }',
    replace: '{ changes: false }',
  },
];
