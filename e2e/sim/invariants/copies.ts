import { isDeepStrictEqual } from 'node:util';
import { type KubeObject, resources } from '../../../src/kube/objects.ts';
import { casskop } from '../../../src/operators/casskop/casskop.ts';
import { namespace } from '../world/user.ts';
import type { Facts } from './facts.ts';
import type { Invariant } from './invariant.ts';
import { conditionOf, hasOurAnnotations, specOf } from './reading.ts';

/** Secrets that a member or a pod names. */
function namedBy(object: KubeObject | undefined): string[] {
  const { imagePullSecrets = [] } = (object?.['spec'] ?? {}) as { imagePullSecrets?: { name: string }[] };
  const references = object ? casskop.references(specOf(object)) : [];
  return [...imagePullSecrets, ...references].map(({ name }) => name);
}

function secretIn(facts: Facts, cluster: string, name: string): KubeObject | undefined {
  return facts.server(cluster).find(resources.secrets, namespace, name);
}

/** Regions that get copies: in the hub's own cluster and namespace the original is used. */
function others({ shape }: Facts): string[] {
  return shape.regions.map(({ name }) => name).filter((name) => name !== shape.hub);
}

export const whatMembersNameIsThere: Invariant = {
  name: 'what members name is there',
  statement:
    'A Secret is in a region before its member is let name it, and stays for as long as the member or a pod does: a pod that starts without it does not start.',
  watch: (facts) => ({
    onChange: (cluster, { resource, object, previous, user, type }) => {
      if (resource.plural !== 'cassandraclusters' || !user.startsWith('controller') || type === 'DELETED')
        return undefined;
      const before = namedBy(previous);
      const missing = namedBy(object).find((name) => !before.includes(name) && !secretIn(facts, cluster, name));
      return missing && `${user} let the member in ${cluster} name Secret ${missing}, which is not there`;
    },
    onWrite: ({ by, method, cluster, plural, name, succeeded, why }) => {
      if (method !== 'DELETE' || plural !== 'secrets' || !succeeded) return undefined;
      const pods = facts.server(cluster).all(resources.pods, namespace);
      const needs = [facts.member(cluster), ...pods].find((object) => namedBy(object).includes(name));
      return needs && `${by} deleted Secret ${name} in ${cluster} (${why}), which ${needs.metadata.name} still names`;
    },
  }),
};

export const copiesAreWhatTheHubHolds: Invariant = {
  name: 'copies are what the hub holds',
  statement:
    'At rest a region holds of each Secret that its member names what the hub holds, and no copy that nothing names: old passwords open nothing, and forgotten ones too much.',
  watch: (facts) => ({
    onRest: () => {
      if (conditionOf(facts.mcc(), 'Ready')?.status !== 'True') return undefined;
      for (const cluster of others(facts)) {
        const named = namedBy(facts.member(cluster));
        for (const name of named) {
          const [there, source] = [secretIn(facts, cluster, name), secretIn(facts, facts.shape.hub, name)];
          const isSame = isDeepStrictEqual([there?.['data'], there?.['type']], [source?.['data'], source?.['type']]);
          if (!isSame) return `Secret ${name} in ${cluster} is not what the hub holds`;
        }
        const left = [...facts.server(cluster).all(resources.secrets, namespace)].find(
          (each) => hasOurAnnotations(each) && !named.includes(each.metadata.name),
        );
        if (left) return `the copy of Secret ${left.metadata.name} in ${cluster} is named by nothing any more`;
      }
      return undefined;
    },
  }),
};
