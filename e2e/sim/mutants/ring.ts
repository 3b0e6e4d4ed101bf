import type { Mutant } from './mutant.ts';

/** Mistakes in who founds the ring, who joins it and when. */
export const ringMutants: readonly Mutant[] = [
  {
    name: 'a region that cannot be seen is taken for empty when the ring is founded',
    breaks: 'everything comes right',
    history: 'a wiped status while the founder is out of sight',
    file: 'federation/region-gates.ts',
    find: '  if (unknown.length === 0) return undefined;\n  const names',
    replace: '  if (unknown.length >= 0) return undefined;\n  const names',
  },
  {
    name: 'the ring is founded by those regions that can be seen',
    breaks: 'one ring is founded',
    file: 'federation/plan.ts',
    find: `  const first = pictures.find((picture) => !isLeaving(picture) && !isObserved(picture));
  const obstacle =
    foundingObstacle(pictures, federation.clusterName)`,
    replace: `  const known = pictures.filter((picture) => picture.known);
  const first = known[0];
  const obstacle =
    foundingObstacle(known, federation.clusterName)`,
  },
  {
    name: 'the pod that founded the ring may do so for ever',
    breaks: 'one ring is founded',
    file: 'federation/guard-writes.ts',
    find: '  const founds = foundsRing(context, picture) && first !== undefined;\n',
    replace: '  const founds = picture.region.name === memory.founder && first !== undefined;\n',
  },
  {
    name: 'the guard of every region lets its own first pod start alone',
    breaks: 'one ring is founded',
    file: 'federation/guard-writes.ts',
    find: `  const founds = foundsRing(context, picture) && first !== undefined;
  const address = memory.planned.find((seed) => seed.pod === first)?.address;`,
    replace: `  const own = picture.pods[0]?.name;
  const founds = first !== undefined && own !== undefined && !hosts.joined.has(own);
  const address = memory.planned.find((seed) => seed.pod === own)?.address;`,
  },
  {
    name: 'the guard is mounted where the ring is founded, not where it is joined',
    breaks: 'only the ignition pod founds',
    file: 'operators/casskop/render.ts',
    find: '    ...(guardName !== undefined && { configMapName: guardName }),\n',
    replace: '    ...(region.name === federation.regions[0]?.name && { configMapName: guardName }),\n',
  },
  {
    name: 'the guard is mounted only until the seeds have been handed out',
    breaks: 'one region at a time',
    file: 'operators/casskop/render.ts',
    find: '    ...(guardName !== undefined && { configMapName: guardName }),\n',
    replace: '    ...(injecting && { configMapName: guardName }),\n',
  },
  {
    name: 'the guard is mounted where the ring is joined, not where it is founded',
    breaks: 'one ring is founded',
    history: 'all pods restart, and the one that founded the ring without its disk',
    file: 'operators/casskop/render.ts',
    find: '    ...(guardName !== undefined && { configMapName: guardName }),\n',
    replace:
      '    ...(guardName !== undefined && region.name !== federation.regions[0]?.name && { configMapName: guardName }),\n',
  },
  {
    name: 'the guard comes without its scripts',
    breaks: 'nodes form one ring',
    history: 'all pods restart while no region hears another',
    file: 'federation/guard/guard.ts',
    find: "    'pre_run.sh': preRun,\n    'post_run.sh': postRun,\n",
    replace: '',
  },
  {
    name: 'the guard does not look at the seeds once more after run.sh',
    breaks: 'nodes form one ring',
    history: 'all pods restart while no region hears another',
    file: 'federation/guard/guard.ts',
    find: "    'post_run.sh': postRun,\n",
    replace: '',
  },
  {
    name: 'the guard looks at the seeds once more only once three nodes are proven',
    breaks: 'nodes hold their rows',
    history: 'rows come while a datacenter is filled',
    file: 'federation/guard/guard.ts',
    find: "    'post_run.sh': postRun,\n",
    replace: "    ...(guard.joined.length > 2 && { 'post_run.sh': postRun }),\n",
  },
  {
    name: 'a region joins without a look at the ring',
    breaks: 'one region at a time',
    file: 'federation/grow.ts',
    find: '    ringObstacle(pictures, hosts, ring, views) ??\n',
    replace: '',
  },
  {
    name: 'a region is not recorded before its member is written',
    breaks: 'one region at a time',
    history: 'a member is created and nothing else gets through',
    file: 'federation/grow.ts',
    find: '    if (picture.recorded?.identity === undefined) return { ...noSteps, obstacles, busy: true };\n',
    replace: '',
  },
  {
    name: 'only pods that are there are waited for',
    breaks: 'one region at a time',
    file: 'federation/gates.ts',
    find: '      if (!pod || !isReady(pod)) return wait(',
    replace: '      if (!pod) continue;\n      if (!isReady(pod)) return wait(',
  },
  {
    name: 'a changed template goes to all regions at once',
    breaks: 'one region at a time',
    history: 'an image that cannot start, taken back',
    file: 'operators/casskop/changes.ts',
    find: `  return change(benign.has(field) ? 'benign' : 'restart');`,
    replace: `  return change('benign');`,
  },
  {
    name: 'the replication is read once and believed for ever',
    breaks: 'everything comes right',
    file: 'runtime/ring-probe.ts',
    find: "    const pod = pods.find((each) => this.view(each)?.operationMode === 'NORMAL' && !this.unreadable(each));",
    replace:
      "    if (this.#replication) return;\n    const pod = pods.find((each) => this.view(each)?.operationMode === 'NORMAL' && !this.unreadable(each));",
  },
  {
    name: 'a host is called a stranger while pods have not told who they are',
    breaks: 'advice does no harm',
    file: 'federation/gates.ts',
    find: '  const unknown = hosts.someUnheard ? [] : unprovenIn(ring, hosts)',
    replace: '  const unknown = unprovenIn(ring, hosts)',
  },
  {
    name: 'a region that cannot be seen is left out when pods are asked who they are',
    breaks: 'advice does no harm',
    history: 'a joining region goes out of sight',
    file: 'federation/hosts.ts',
    find: 'const mayHavePods = !picture.known || picture.member !== undefined || picture.snapshot.pods.length > 0;',
    replace: 'const mayHavePods = picture.known && (picture.member !== undefined || picture.snapshot.pods.length > 0);',
  },
  {
    name: 'the advice after a lost disk names the host that came back',
    breaks: 'advice does no harm',
    file: 'federation/gates.ts',
    find: '`wait until spec.regions[${region}].acknowledgedHosts',
    replace: '`run nodetool removenode ${found}; they wait until spec.regions[${region}].acknowledgedHosts',
  },
  {
    name: 'the advice after a lost disk asks to acknowledge the host that is gone',
    breaks: 'everything comes right',
    file: 'federation/gates.ts',
    find: 'lists {pod: ${pod}, hostId: ${found}}`',
    replace: 'lists {pod: ${pod}, hostId: ${recorded}}`',
  },
  {
    name: 'seeds of other regions are named with the address of the first',
    breaks: 'nothing recorded is forgotten',
    file: 'federation/seeds.ts',
    find: '    region: region.name,\n  });\n}\n\n/**\n * The list',
    replace: '    region: federation.regions[0]?.name ?? region.name,\n  });\n}\n\n/**\n * The list',
  },
  {
    name: 'a joining region that cannot be seen holds nobody up',
    breaks: 'one region at a time',
    history: 'the next region is out of sight while it joins',
    file: 'federation/gates.ts',
    find: "    if (!picture.known && unseen === 'waits' && mayHoldNodes(picture)) {",
    replace: "    if (!picture.known && unseen === 'waits' && picture.recorded?.stage === 'Running') {",
  },
  {
    name: 'a new datacenter joins whatever the replication of the keyspaces is',
    breaks: 'keyspaces are ready for a new datacenter',
    history: 'a keyspace before the last datacenter',
    file: 'federation/grow.ts',
    find: ' ??\n    replicationObstacle(context)',
    replace: '',
  },
  {
    name: 'a keyspace that is replicated somehow is taken for replicated everywhere',
    breaks: 'keyspaces are ready for a new datacenter',
    history: 'a keyspace before the last datacenter',
    file: 'ring/keyspaces.ts',
    find: "        ? words.startsWith('SimpleStrategy')",
    replace: "        ? words === ''",
  },
];
