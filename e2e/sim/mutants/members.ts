import type { Mutant } from './mutant.ts';

/** Mistakes in what is written to the regions. */
export const memberMutants: readonly Mutant[] = [
  {
    name: 'a region gets its own seeds only',
    breaks: 'seed lists are sound',
    file: 'federation/seeds.ts',
    find: 'return [...recorded.filter((address) => own.has(address)), ...recorded.filter((address) => !own.has(address))];',
    replace: 'return recorded.filter((address) => own.has(address));',
  },
  {
    name: 'seeds are those of the regions that can be seen',
    breaks: 'seed lists are sound',
    file: 'federation/context.ts',
    find: '  return given ?? picture.recorded?.appliedSeeds ?? seedListFor(picture.region.name, seeds, planned);',
    replace: `  const seen = context.pictures.filter((each) => each.known).map((each) => each.region.name);
  const known = planned.filter((each) => seen.includes(each.region)).map((each) => each.address);
  return given && known.length === seeds.length ? given : seedListFor(picture.region.name, known, planned);`,
  },
  {
    name: 'the seeds in the spec are taken out by an empty list in the status',
    breaks: 'seed lists are sound',
    file: 'federation/member-writes.ts',
    find: `const status = { seedlist: [...seedsOf(context, picture)] };`,
    replace: `const status = { seedlist: [] as string[] };`,
  },
  {
    name: 'the seeds do not stand in the spec when the member is created',
    breaks: "pods start with the federation's seeds",
    file: 'federation/member-writes.ts',
    find: '        injecting: hasStatusSubresource(picture),',
    replace: '        injecting: !hasStatusSubresource(picture),',
  },
  {
    name: 'the seeds leave the spec without having been put into the status',
    breaks: 'everything comes right',
    file: 'federation/member-writes.ts',
    find: `  if (bookkeeping.injecting && !isSame(state.statusSeeds, seedsOf(context, picture))) {`,
    replace: `  if (bookkeeping.injecting && state.statusSeeds !== undefined && state.statusSeeds.length === 0) {`,
  },
  {
    name: 'seeds are sorted where they are written and not where they are compared',
    breaks: 'no hot loops',
    file: 'federation/member-writes.ts',
    find: `const status = { seedlist: [...seedsOf(context, picture)] };`,
    replace: `const status = { seedlist: [...seedsOf(context, picture)].sort() };`,
  },
  {
    name: 'the hash of a member is that of another rendering than the one it is compared to',
    breaks: 'no hot loops',
    file: 'federation/member-writes.ts',
    find: `    hash: hashWithout(context, picture, held),`,
    replace: `    hash: render(context, picture, injecting).hash,`,
  },
  {
    name: 'the guard says when it was written',
    breaks: 'no hot loops',
    file: 'federation/guard-writes.ts',
    find: '      userPreRun: scripts.preRun,\n',
    replace: '      userPreRun: `# written at ${context.snapshot.nowMs}`,\n',
  },
  {
    name: 'the guard names the nodes that can be heard now',
    breaks: 'no hot loops',
    file: 'federation/guard-writes.ts',
    find: '      joined: joinedPods(hosts.joined),',
    replace: '      joined: joinedPods(new Map([...hosts.joined].filter(([pod]) => context.views.has(pod)))),',
  },
  {
    name: 'the guard is brought up to date once all pods of its region are ready',
    breaks: 'fixes are delivered',
    history: 'an edit while pods wait in their guards',
    file: 'federation/plan.ts',
    find: `    const intents = [guardIntent(context, picture), ...copies, ...turn.intents, upkeep, ...unneeded];`,
    replace: `    const isWell = picture.snapshot.pods.every(({ status }) =>
      (status as { conditions?: { type: string; status: string }[] } | undefined)?.conditions?.some(
        (each) => each.type === 'Ready' && each.status === 'True',
      ));
    const guard = isWell ? guardIntent(context, picture) : undefined;
    const intents = [guard, ...copies, ...turn.intents, upkeep, ...unneeded];`,
  },
  {
    name: 'the wait of the guard is written once and never again',
    breaks: 'fixes are delivered',
    file: 'federation/guard-writes.ts',
    find: '.every(([key, value]) => data?.[key] === value) &&',
    replace: ".every(([key, value]) => key === 'guard_wait_seconds' || data?.[key] === value) &&",
  },
  {
    name: 'writers are told apart by name and not by uid',
    breaks: 'only the latest writer writes',
    file: 'federation/picture.ts',
    find: '  if (owner?.uid === mcc.metadata.uid) {',
    replace: '  if (owner?.namespace === mcc.metadata.namespace && owner.name === mcc.metadata.name) {',
  },
  {
    name: 'the stamp of a newer writer is not looked at',
    breaks: 'only the latest writer writes',
    file: 'federation/picture.ts',
    find: "    ownership = stamp && isOlder(mine, stamp) ? 'newer' : 'ours';",
    replace: "    ownership = 'ours';",
  },
  {
    name: 'of two writers the newer one holds back',
    breaks: 'everything comes right',
    file: 'federation/picture.ts',
    find: 'isOlder(mine, stamp)',
    replace: 'isOlder(stamp, mine)',
  },
  {
    name: 'labels of a member follow the template',
    breaks: 'a dropped region is left alone',
    file: 'federation/changes.ts',
    find: `  if (bookkeeping.owner !== undefined && !isDeepStrictEqual(labels, bookkeeping.renderedLabels)) {`,
    replace: `  if (bookkeeping.owner === undefined) {`,
  },
  {
    name: 'a region that left the spec is let go of',
    breaks: 'a dropped region is left alone',
    file: 'runtime/controller.ts',
    find: '    for (const [id, { value }] of this.#regions) if (!ids.has(id)) value.forget(key);',
    replace: `    for (const [id, { value }] of this.#regions) {
      if (ids.has(id) || kept.length === 0) continue;
      value.forget(key);
      const { client, namespace } = value;
      const owner = { op: 'remove' as const, path: '/metadata/annotations/ringmaster.dev~1owner' };
      const ref = { namespace, name: key.split('/')[1] ?? '' };
      const { signal } = new AbortController();
      void client.jsonPatch(this.#options.operator.member, ref, [owner], signal).catch(() => undefined);
    }`,
  },
  {
    name: 'the size of a region is changed like any harmless field',
    breaks: 'a scale-down is alone',
    history: 'a node less while its region restarts, taken back',
    file: 'operators/casskop/changes.ts',
    find: `changes.push({ path: path('nodesPerRacks'), kind: to > from ? 'scale-up' : 'scale-down', from, to });`,
    replace: `changes.push({ path: path('nodesPerRacks'), kind: 'benign', from, to });`,
  },
  {
    name: 'the finalizer goes when the object is deleted',
    breaks: 'the finalizer goes last',
    history: 'all is deleted',
    file: 'runtime/reconciler.ts',
    find: '    if (isOver) {\n',
    replace: '    if (isOver || intents.length > 0) {\n',
  },
  {
    name: 'the finalizer goes while the regions have not been read yet',
    breaks: 'the finalizer goes last',
    history: 'all is deleted while a region is out of sight',
    file: 'federation/teardown.ts',
    find: '  if (!picture.known) {\n',
    replace:
      "  if (!picture.known) return { ...deleting, intents: [], isOver: true, why: '' };\n  if (!picture.known) {\n",
  },
  {
    name: 'an object that has changed meanwhile is deleted to be written anew',
    breaks: 'deletes are exact',
    file: 'federation/execute.ts',
    find: '    if (error.status === 409 || error.status === 422 || error.mayHaveActed) {',
    replace: `    if (error.status === 409 && 'object' in write) {
      const { uid = '' } = write.object.metadata;
      await client.delete(write.resource, write.object.metadata, { uid, resourceVersion: '' }, signal).catch(() => undefined);
    }
    if (error.status === 409 || error.status === 422 || error.mayHaveActed) {`,
  },
  {
    name: 'volumes without a member are cleaned up',
    breaks: 'deletes are exact',
    file: 'runtime/region.ts',
    find: '    this.#claims = this.#reflector(resources.persistentVolumeClaims);',
    replace: `    this.#claims = this.#reflector(resources.persistentVolumeClaims, undefined, () => {
      if (!this.#members.status.hasSynced || this.#members.store.list().length > 0) return;
      for (const { metadata } of this.#claims.store.list()) {
        const { uid = '', resourceVersion = '' } = metadata;
        const end = new AbortController();
        void options.client
          .delete(resources.persistentVolumeClaims, metadata, { uid, resourceVersion }, end.signal)
          .catch(() => undefined);
      }
    });`,
  },
  {
    name: 'the seeds leave the spec before the operator is done with them',
    breaks: "pods start with the federation's seeds",
    file: 'federation/member-writes.ts',
    find: '  if (bookkeeping.injecting && state.settled) {',
    replace: '  if (bookkeeping.injecting) {',
  },
  {
    name: 'the operator counts as settled although it has not seen the last change',
    breaks: 'Ready is true',
    history: 'CassKop dies as the last seeds leave the spec',
    file: 'operators/casskop/read.ts',
    find: '  if (!processed(member))\n',
    replace: '  if (!processed(member) && status.phase === undefined)\n',
  },
  {
    name: 'an action that the operator has noted and never begins is waited for',
    breaks: 'everything comes right',
    history: 'a bad image is taken back while a node joins',
    file: 'operators/casskop/void-actions.ts',
    find: '  if (found.length === 0) return undefined;',
    replace: '  if (found.length >= 0) return undefined;',
  },
  {
    name: 'an update names no version',
    breaks: 'writes name their version',
    file: 'federation/execute.ts',
    find: '      return client.apply(write.resource, write.object, signal);',
    replace:
      '      return client.apply(write.resource, { ...write.object, metadata: { ...write.object.metadata, resourceVersion: undefined as never } }, signal);',
  },
];
