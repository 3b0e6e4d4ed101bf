import { isDeepStrictEqual } from 'node:util';
import { mergePatch, without } from '../../../src/api/merge.ts';
import type { Condition, RegionStatus } from '../../../src/api/schema.ts';
import { statusOf } from '../invariants/reading.ts';
import type { Replication } from '../region/cassandra/schema.ts';
import { execute } from '../region/cassandra/storage-service.ts';
import { cqlLogin } from './cql.ts';
import { cqlSecretName, namespace, secretName, secretPath } from './user.ts';
import type { World } from './world.ts';

type Fields = Record<string, unknown>;
type Region = Fields & { name: string; patch?: Fields; remove?: string[] };

/** What a person does who reads the conditions and follows them to the letter, and does nothing else. */
export function followAdvice(world: World): void {
  const status = statusOf(world.user.mcc);
  const all: Condition[] = [
    ...(status.conditions ?? []),
    ...(status.regions ?? []).flatMap((region: RegionStatus) => region.conditions ?? []),
  ];
  for (const message of new Set(all.map((condition) => condition.message))) {
    acknowledge(world, message);
    removeNodes(world, message);
    if (!writeCqlLogin(world, message)) alterKeyspaces(world, message);
    deleteLeftovers(world, message);
    deletePods(world, message);
    deleteMembers(world, message);
    labelPods(world, message);
    createSecrets(world, message);
    deleteForeignSecrets(world, message);
    askForWhatIsThere(world, message);
  }
}

/** A member that is to be adopted has to be what the spec asks for, in its region. */
function askForWhatIsThere(world: World, message: string): void {
  const before = world.user.spec['regions'] as Region[];
  let regions = before;
  const edit = (name: string, change: (region: Region) => Region): void => {
    regions = regions.map((each) => (each.name === name ? change(each) : each));
  };
  for (const [, patch = '', name = ''] of message.matchAll(
    /put (\{.*?\}) into spec\.regions\[([a-z0-9-]+)\]\.patch/g,
  )) {
    edit(name, (each) => ({ ...each, patch: mergePatch(each.patch ?? {}, JSON.parse(patch) as Fields) }));
  }
  for (const [, path = '', name = ''] of message.matchAll(/add (\/\S+) to spec\.regions\[([a-z0-9-]+)\]\.remove/g)) {
    edit(name, (each) => ({ ...each, remove: [...new Set([...(each.remove ?? []), path])] }));
  }
  for (const [, field = '', name = ''] of message.matchAll(
    /take (\S+) out of spec\.regions\[([a-z0-9-]+)\]\.patch\.spec/g,
  )) {
    edit(name, (each) => ({ ...each, patch: without(each.patch, [['spec', ...field.split('.')]]) as Fields }));
  }
  if (isDeepStrictEqual(regions, before)) return;
  world.user.spec = { ...world.user.spec, regions };
  world.user.apply();
}

function labelPods(world: World, message: string): void {
  const pattern = /kubectl label pod ([a-z0-9-]+) -n [a-z0-9-]+ ((?:[a-z-]+=\w+ )+)--overwrite, in region (\w+)/g;
  for (const [, pod = '', words = '', region = ''] of message.matchAll(pattern)) {
    const pairs = [...words.matchAll(/([a-z-]+)=(\w+)/g)];
    const labels = Object.fromEntries(pairs.map(([, key = '', value = '']) => [key, value]));
    const path = `/api/v1/namespaces/${namespace}/pods/${pod}`;
    world.user.patch(world.server(region), path, 'merge', { metadata: { labels } });
  }
}

function createSecrets(world: World, message: string): void {
  if (!message.includes(`kubectl create secret docker-registry ${secretName} -n ${namespace}`)) return;
  world.user.writeSecret(world.server(world.shape.hub), 'written on advice');
}

/** Who can mend what Ringmaster alters keyspaces with does not alter them himself. */
export function writeCqlLogin(world: World, message: string): boolean {
  const advice = ['create secret generic', 'edit secret'].map(
    (verb) => `kubectl ${verb} ${cqlSecretName} -n ${namespace}`,
  );
  const isAdvised = advice.some((each) => message.includes(each));
  if (isAdvised) world.user.writeCqlLogin(cqlLogin.password);
  return isAdvised;
}

function deleteForeignSecrets(world: World, message: string): void {
  const pattern = /region (\w+) holds a Secret .*: kubectl delete secret ([a-z]+) -n/g;
  for (const [, region = ''] of message.matchAll(pattern)) world.user.delete(world.server(region), secretPath);
}

function deleteMembers(world: World, message: string): void {
  for (const [, name = '', region = ''] of message.matchAll(
    /kubectl delete cassandracluster ([a-z0-9-]+) -n [a-z0-9-]+, in region (\w+)/g,
  )) {
    world.user.delete(world.server(region), `/apis/db.orange.com/v2/namespaces/${namespace}/cassandraclusters/${name}`);
  }
}

function deletePods(world: World, message: string): void {
  for (const [, pod = ''] of message.matchAll(/kubectl delete pod ([a-z0-9-]+) -n/g)) {
    const region = world.shape.regions.find(({ name }) => world.podsOf(name).includes(pod));
    if (region) world.region(region.name).deletePod(pod);
  }
}

/** The rows of these tests are all of value only while a ring serves them. */
function deleteLeftovers(world: World, message: string): void {
  const pattern =
    /region (\w+) (?:still|already) holds (.*?) (?:of an earlier ring )?in namespace [^:;]*[;:].* Delete what is left/g;
  for (const [, region = '', names = ''] of message.matchAll(pattern)) {
    for (const [, kind = '', name = ''] of names.matchAll(/(StatefulSet|PersistentVolumeClaim) ([a-z0-9-]+)/g)) {
      const path =
        kind === 'StatefulSet'
          ? `/apis/apps/v1/namespaces/${namespace}/statefulsets/${name}`
          : `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${name}`;
      if (kind !== 'StatefulSet') world.wipedPods.add(name.replace(/^data-/, ''));
      world.user.delete(world.server(region), path);
    }
  }
}

function acknowledge(world: World, message: string): void {
  const pattern =
    /spec\.regions\[([a-z0-9-]+)\]\.acknowledgedHosts lists \{pod: ([a-z0-9-]+), hostId: ([0-9a-f-]{36})\}/g;
  for (const [, name, pod, hostId] of message.matchAll(pattern)) {
    const regions = world.user.spec['regions'] as (Fields & { name: string })[];
    const region = regions.find((each) => each.name === name);
    const known = (region?.['acknowledgedHosts'] ?? []) as { pod: string; hostId: string }[];
    if (!region || known.some((each) => each.pod === pod && each.hostId === hostId)) continue;
    const acknowledgedHosts = [...known.filter((each) => each.pod !== pod), { pod, hostId }];
    const changed = regions.map((each) => (each === region ? { ...each, acknowledgedHosts } : each));
    world.user.spec = { ...world.user.spec, regions: changed };
    world.user.apply();
  }
}

function removeNodes(world: World, message: string): void {
  for (const [, hostId = ''] of message.matchAll(/nodetool removenode ([0-9a-f-]{36})/g)) {
    const node = [...world.ring.nodes].find((each) => each.mode === 'NORMAL' && each.isGossiping);
    if (!node || world.removedHosts.has(hostId)) continue;
    try {
      execute({ network: world.ring, clock: world.clock, node }, 'removeNode(java.lang.String)', [hostId]);
      world.removedHosts.add(hostId);
      world.timeline.note('user', () => `nodetool removenode ${hostId}`);
    } catch (error) {
      world.timeline.note('user', () => `nodetool removenode ${hostId} -> ${String(error)}`);
    }
  }
}

/** Runs the statements that a message asks for; whoever leaves a datacenter out repairs before. */
export function alterKeyspaces(world: World, message: string): void {
  const pattern = /ALTER KEYSPACE "?(\w+)"? WITH replication = \{'class': 'NetworkTopologyStrategy', ([^}]*)\};/g;
  // What Ringmaster says that it does is left to it.
  const [asked = ''] = message.split('Ringmaster runs, as spec.cql lets it');
  for (const [statement, keyspace = '', factors = ''] of asked.matchAll(pattern)) {
    const node = [...world.ring.nodes].find((each) => each.mode === 'NORMAL' && each.isGossiping);
    if (!node) return;
    const entries = [...factors.matchAll(/'(\w+)': (\d+)/g)].map(([, name = '', factor]) => [name, Number(factor)]);
    const replication: Replication = {
      strategy: 'NetworkTopologyStrategy',
      datacenters: Object.fromEntries(entries) as Record<string, number>,
    };
    try {
      world.ring.repair(node);
      world.ring.writeKeyspace(node, keyspace, replication);
      world.ring.repair(node);
      world.timeline.note('user', () => statement);
    } catch (error) {
      world.timeline.note('user', () => `${statement} -> ${String(error)}`);
    }
  }
}
