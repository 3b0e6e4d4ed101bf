import assert from 'node:assert/strict';
import { waitFor } from '../harness/index.ts';
import { type Federation, formationTimeoutMs } from './federation.ts';

/** A CassandraCluster as somebody wrote it, without any Ringmaster. */
export interface MadeByHand {
  readonly region: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec: Readonly<Record<string, unknown>> & { readonly backRestSidecar?: object; readonly config?: object };
  readonly seeds: readonly string[];
  /** How many hosts its nodes see when they are all there. */
  readonly hosts: number;
  /** The seeds stay in the spec, where they were put so that CassKop does not compute its own. */
  readonly keepsSeeds?: boolean;
}

/**
 * Writes a member as a careful person would: with the seeds in its spec, where CassKop 2.3 takes them from, and in its status. Resolves when
 * CassKop is done and every node is in a ring of `hosts` nodes.
 */
export async function makeByHand(federation: Federation, made: MadeByHand): Promise<void> {
  const { region, labels = {}, spec, seeds } = made;
  const api = federation.api(region);
  const path = memberPath(federation, region);
  await api.apply(path, 'kubectl', {
    apiVersion: 'db.orange.com/v2',
    kind: 'CassandraCluster',
    metadata: { name: federation.name, namespace: federation.namespaceIn(region), labels },
    spec: {
      ...spec,
      backRestSidecar: { ...spec.backRestSidecar, envVars: [{ name: 'CASSANDRA_SEEDS', value: seeds.join(',') }] },
      config: { ...spec.config, 'cluster-info': { name: federation.name, seeds: seeds.join(',') } },
    },
  });
  await api.patch(`${path}/status`, 'merge', { status: { seedlist: seeds } });
  await untilDone(federation, made);
  if (made.keepsSeeds !== true) {
    await api.patch(path, 'merge', {
      spec: {
        backRestSidecar: { envVars: null },
        config: spec.config === undefined ? null : { 'cluster-info': null },
      },
    });
    await untilDone(federation, made);
  }
}

export function memberPath(federation: Federation, region: string): string {
  return `/apis/db.orange.com/v2/namespaces/${federation.namespaceIn(region)}/cassandraclusters/${federation.name}`;
}

/** Waits until CassKop has processed the member as it is now and is done, and its nodes see as many hosts as there should be. */
async function untilDone(federation: Federation, { region, seeds, hosts }: MadeByHand): Promise<void> {
  await waitFor(
    async () => {
      const member = (await federation.member(region)) ?? assert.fail();
      assert.equal(member.status.phase, 'Running', JSON.stringify(member.status));
      assert.equal((member.status as { lastClusterActionStatus?: string }).lastClusterActionStatus, 'Done');
      assert.deepEqual(member.status.seedlist, seeds);
      const processed = member.metadata.annotations?.['cassandraclusters.db.orange.com/last-applied-configuration'];
      assert.ok(Number(/"generation":(\d+)/.exec(processed ?? '')?.[1]) >= (member.metadata.generation ?? 0));
      const pods = await federation.pods(region);
      assert.ok(pods.length > 0);
      for (const { metadata } of pods) {
        const view = await federation.ask(region, metadata.name, 'EndpointToHostId,LiveNodes,OperationMode');
        assert.equal(view['OperationMode'], 'NORMAL');
        assert.equal(Object.keys(view['EndpointToHostId'] as object).length, hosts);
        assert.equal((view['LiveNodes'] as string[]).length, hosts);
      }
      return true;
    },
    { what: `the CassandraCluster of ${region} to run in a ring of ${hosts}`, timeoutMs: formationTimeoutMs },
  );
}
