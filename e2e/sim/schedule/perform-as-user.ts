import { isDeepStrictEqual } from 'node:util';
import { finalizer } from '../../../src/api/schema.ts';
import { annotationPrefix } from '../../../src/federation/bookkeeping.ts';
import { type KubeObject, resources } from '../../../src/kube/objects.ts';
import { conditionOf, hasOurAnnotations, statusOf } from '../invariants/reading.ts';
import { guardPath, memberPath, mccPath, namespace, secretName, secretPath, specOf } from '../world/user.ts';
import type { World } from '../world/world.ts';
import { cutOff, type Later } from './cut.ts';
import type { Action } from './history.ts';

type Fields = Record<string, unknown>;

/** What a person does with kubectl or cqlsh. */
export function performAsUser(world: World, action: Action, later: Later): void {
  const { user, shape } = world;
  const hub = world.server(shape.hub);
  const wanted = specOf(shape);
  const regions = (): Fields[] => user.spec['regions'] as Fields[];
  const setRegions = (to: Fields[]): void => {
    user.spec = { ...user.spec, regions: to };
    user.apply();
  };
  const datacentersOf = (name: unknown): Fields[] =>
    (wanted['regions'] as Fields[]).find((each) => each['name'] === name)?.['datacenters'] as Fields[];
  // A member that is not there yet would be made with the edit, and taking it back would be an edit of its own.
  const isFormed = (): boolean =>
    shape.regions.every(({ name }) => {
      const member = world.inspection.facts.member(name);
      return member !== undefined && member.metadata.deletionTimestamp === undefined;
    });
  // A member that differs from the spec is not adopted, so whoever deletes the object waits until its changes are through.
  const isChanging = (): boolean => conditionOf(user.mcc, 'Ready')?.reason === 'Changing' || isEdited();
  const isEdited = (): boolean =>
    !isDeepStrictEqual(user.spec['template'], wanted['template']) ||
    regions().some(({ name, datacenters }) => !isDeepStrictEqual(datacenters, datacentersOf(name)));
  // With the status gone as well, nothing in the hub would speak of that region's nodes any more: a known limit.
  const isDropped = (): boolean => regions().length < shape.regions.length;
  switch (action.do) {
    case 'set guardWaitSeconds':
      user.spec = { ...user.spec, seeds: { ...(user.spec['seeds'] as Fields), guardWaitSeconds: action.to } };
      user.apply();
      return;
    case 'reorder regions':
      setRegions(regions().toReversed());
      return;
    case 'observe region': {
      const set = (from: string | undefined, to: string | undefined): boolean => {
        const all = regions();
        const index = all.findIndex(({ name, state }) => name === action.region && state === from);
        const { state: _, ...entry } = all[index] ?? {};
        if (index >= 0) setRegions(all.with(index, { ...entry, ...(to !== undefined && { state: to }) }));
        return index >= 0;
      };
      if (!set(undefined, 'Observed')) return;
      // An entry that was dropped comes back as it was.
      const manage = (): void => {
        if (!set('Observed', undefined) && isDropped()) later(10_000, manage);
      };
      later(action.forMs, manage);
      return;
    }
    case 'drop region': {
      const all = regions();
      const { mcc } = user;
      // Before the founding an entry less is another federation; of an object that goes, nothing but its spec comes back.
      if (all.length < 2 || statusOf(mcc).ring === undefined || mcc?.metadata.deletionTimestamp !== undefined) return;
      const index = all.findIndex(({ name }) => name === action.region);
      const dropped = all[index];
      if (!dropped) return;
      setRegions(all.toSpliced(index, 1));
      later(action.forMs, () =>
        setRegions(regions().toSpliced(index, 0, { ...dropped, datacenters: datacentersOf(action.region) })),
      );
      return;
    }
    case 'edit template': {
      const before = user.spec['template'] as { spec: Fields };
      if (!isFormed()) return;
      const edits = {
        image: { cassandraImage: 'cassandra:5.0.7-bad', serverVersion: '5.0.7' },
        'newer image': { cassandraImage: 'cassandra:5.0.9', serverVersion: '5.0.9' },
        resources: { resources: { requests: { cpu: '1', memory: '2Gi' }, limits: { cpu: '1', memory: '2Gi' } } },
      };
      const template =
        action.field === 'labels'
          ? { ...before, metadata: { labels: { tier: 'gold' } } }
          : { ...before, spec: { ...before.spec, ...edits[action.field] } };
      user.spec = { ...user.spec, template };
      user.apply();
      later(action.forMs, () => {
        user.spec = { ...user.spec, template: wanted['template'] };
        user.apply();
      });
      return;
    }
    case 'order a restart':
      user.spec = { ...user.spec, rollout: { restartToken: action.token } };
      user.apply();
      return;
    case 'order an operation': {
      const operations = { ...(user.spec['operations'] as Fields | undefined), [action.name]: action.token };
      user.spec = { ...user.spec, operations };
      user.apply();
      return;
    }
    case 'resize region': {
      const size = shape.regions.find(({ name }) => name === action.region)?.nodesPerRacks ?? 1;
      if (!isFormed() || size + action.by < 1) return;
      const setDatacenters = (datacenters: Fields[]): void =>
        setRegions(regions().map((region) => (region['name'] === action.region ? { ...region, datacenters } : region)));
      const nodesPerRacks = size + action.by;
      const orderRestart = (by: number): void => {
        if (action.restarts && by < 0) user.spec = { ...user.spec, rollout: { restartToken: 'with fewer nodes' } };
      };
      orderRestart(action.by);
      setDatacenters(datacentersOf(action.region).map((each) => ({ ...each, nodesPerRacks })));
      later(action.forMs, () => {
        orderRestart(-action.by);
        setDatacenters(datacentersOf(action.region));
      });
      return;
    }
    case 'edit member by hand': {
      if (conditionOf(user.mcc, 'Ready')?.status !== 'True') return;
      const server = world.server(action.region);
      const edit = (spec: Fields): void => void user.patch(server, memberPath, 'merge', { spec });
      edit({ cassandraImage: 'cassandra:5.0.6' });
      // CassKop 2.3.4 does not go back half-way by itself, so whoever edits behind our back waits for the end of it.
      const goBack = (): void => {
        const member = world.inspection.facts.member(action.region);
        const { phase, lastClusterActionStatus } = (member?.['status'] ?? {}) as Record<string, unknown>;
        if (!member || (phase === 'Running' && lastClusterActionStatus === 'Done')) {
          edit({ cassandraImage: 'cassandra:5.0.8' });
        } else later(10_000, goBack);
        world.trouble(300_000);
      };
      later(action.forMs + 60_000, goBack);
      return;
    }
    case 'delete member':
      if (isEdited()) return;
      user.delete(world.server(action.region), memberPath);
      world.trouble(300_000);
      return;
    case 'delete guard':
      if (isDropped() && statusOf(user.mcc).ring?.founder === undefined) return;
      user.delete(world.server(action.region), guardPath);
      return;
    case 'wipe status':
      if (isDropped()) return;
      user.patch(hub, `${mccPath}/status`, 'json', [{ op: 'remove', path: '/status' }]);
      if (action.unseen !== undefined && action.unseen !== shape.hub) {
        cutOff(world, action.unseen, action.forMs ?? 0, later);
      }
      return;
    case 'delete and recreate': {
      if (isChanging() && !action.whatever) return;
      if (isDropped()) return;
      user.delete(hub, mccPath);
      const { adoptAfterMs = 0 } = action;
      const { adoptionPolicy: _, ...spec } = user.spec;
      user.spec = spec;
      const recreate = (): void => {
        if (adoptAfterMs === 0) adopt();
        else user.apply();
      };
      const adopt = (): void => {
        user.spec = { ...user.spec, adoptionPolicy: 'IfUnchanged' };
        user.apply();
      };
      later(3_000, recreate);
      if (adoptAfterMs > 0) later(3_000 + adoptAfterMs, adopt);
      return;
    }
    case 'take our marks away': {
      if (isChanging() || isDropped()) return;
      user.delete(hub, mccPath);
      const spec = action.unguarded ? { configMapName: null } : {};
      for (const [index, { name }] of shape.regions.entries()) {
        later(3_000 + index * action.everyMs, () => {
          const marks = Object.keys(world.inspection.facts.member(name)?.metadata.annotations ?? {})
            .filter((each) => each.startsWith(annotationPrefix))
            .map((each) => [each, null]);
          const annotations = Object.fromEntries(marks) as Fields;
          user.patch(world.server(name), memberPath, 'merge', { metadata: { annotations }, spec });
          user.delete(world.server(name), guardPath);
        });
      }
      later(3_000 + shape.regions.length * action.everyMs, () => {
        user.spec = { ...user.spec, adoptionPolicy: 'IfUnchanged' };
        user.apply();
      });
      return;
    }
    case 'delete with our finalizer': {
      if (isChanging()) return;
      if (isDropped()) return;
      const setFinalizers = (finalizers: string[]): void =>
        void user.patch(hub, mccPath, 'merge', { metadata: { finalizers } });
      setFinalizers([finalizer]);
      user.delete(hub, mccPath);
      user.spec = { ...user.spec, adoptionPolicy: 'IfUnchanged' };
      later(action.forMs, () => {
        setFinalizers([]);
        user.apply();
      });
      return;
    }
    case 'write Secret':
      user.writeSecret(hub, action.holds);
      return;
    case 'delete Secret':
      user.delete(hub, secretPath);
      later(action.forMs, () => void user.writeSecret(hub, 'written again'));
      return;
    case 'name Secret': {
      const { spec } = user.spec['template'] as { spec: Fields };
      const { imagePullSecret, ...others } = spec;
      const edited = imagePullSecret === undefined ? { ...spec, imagePullSecret: { name: secretName } } : others;
      user.spec = { ...user.spec, template: { spec: edited } };
      user.apply();
      later(action.forMs, () => {
        user.spec = { ...user.spec, template: wanted['template'] };
        user.apply();
      });
      return;
    }
    case 'foreign Secret': {
      const server = world.server(action.region);
      const find = (): KubeObject | undefined => server.find(resources.secrets, namespace, secretName);
      if (action.region === shape.hub || find()) return;
      user.writeSecret(server, 'something else');
      later(action.forMs, () => {
        if (find() && !hasOurAnnotations(find())) user.delete(server, secretPath);
      });
      return;
    }
    case 'create keyspace': {
      const node = [...world.ring.nodes].find((each) => each.mode === 'NORMAL' && each.isGossiping);
      if (!node) return;
      const datacenters = new Set(
        node.view.ring.filter(({ status }) => status !== 'BOOT').map((state) => state.datacenter),
      );
      world.createKeyspace(
        node,
        action.strategy === 'SimpleStrategy'
          ? { strategy: 'SimpleStrategy', factor: 1 }
          : {
              strategy: 'NetworkTopologyStrategy',
              datacenters: Object.fromEntries([...datacenters].map((name) => [name, 1])),
            },
      );
      return;
    }
    default:
      throw new Error(`nobody does ${JSON.stringify(action)}`);
  }
}
