import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { createRack } from './hand-written.ts';
import { controllerUser, startRegions, waitFor, type ApiObject, type Region, type Regions } from './index.ts';
import { command } from './run/command.ts';

interface NodeView {
  OperationMode: string;
  LocalHostId: string;
  LiveNodes: string[];
  EndpointToHostId: Record<string, string>;
}
interface ObservedPod extends ApiObject {
  metadata: ApiObject['metadata'] & { uid: string };
  status: { podIP?: string };
}

describe('two regions of real Cassandra nodes', () => {
  const namespace = 'cass';
  const names = ['eu', 'us'];
  const timeoutMs = 180_000;
  let regions: Regions;
  let eu: Region;
  let us: Region;

  before(async () => {
    regions = await startRegions({ regions: names });
    [eu, us] = [regions.region('eu'), regions.region('us')];
    await regions.prepareNamespace(namespace, { operator: false });
    const seeds = names.map((name) => `fed-${name}-r1-0.${name}.db.example.net`);
    for (const region of regions.all) {
      await createRack(region, { namespace, cluster: 'fed', datacenter: region.name, rack: 'r1', replicas: 1, seeds });
      await untilNormal(region);
    }
  });
  after(() => regions.stop());

  function podOf(region: Region): Promise<ObservedPod> {
    return region.api.get<ObservedPod>(`/api/v1/namespaces/${namespace}/pods/fed-${region.name}-r1-0`);
  }

  /** What a region's node says of the ring, through the region's API server. */
  async function viewOf(region: Region): Promise<NodeView> {
    const attributes = 'OperationMode,LocalHostId,LiveNodes,EndpointToHostId';
    const path = `/api/v1/namespaces/${namespace}/pods/fed-${region.name}-r1-0:8778/proxy/jolokia/read`;
    const text = await region.api.get<string>(`${path}/org.apache.cassandra.db:type=StorageService/${attributes}`);
    return (JSON.parse(text) as { value: NodeView }).value;
  }

  function untilView(region: Region, what: string, holds: (view: NodeView) => boolean): Promise<NodeView> {
    return waitFor(
      async () => {
        const view = await viewOf(region);
        if (!holds(view)) throw new Error(JSON.stringify(view));
        return view;
      },
      { what: `the node in ${region.name} ${what}`, timeoutMs, intervalMs: 500 },
    );
  }

  function untilNormal(region: Region): Promise<NodeView> {
    return untilView(region, 'to be NORMAL', ({ OperationMode }) => OperationMode === 'NORMAL');
  }

  function untilBothLive(region: Region): Promise<NodeView> {
    return untilView(region, 'to see two live nodes', ({ LiveNodes, EndpointToHostId }) => {
      return LiveNodes.length === 2 && Object.keys(EndpointToHostId).length === 2;
    });
  }

  test('form one ring, each seeing the same hosts', async () => {
    const views = await Promise.all(regions.all.map(untilBothLive));
    assert.deepEqual(views[0]?.EndpointToHostId, views[1]?.EndpointToHostId);
    assert.equal(new Set(views.map(({ LocalHostId }) => LocalHostId)).size, 2);
  });

  test('lose sight of one another when cut, while the API servers and pods/proxy still answer, and heal', async () => {
    await regions.cut('us');
    const alone = ({ LiveNodes }: NodeView): boolean => LiveNodes.length === 1;
    await Promise.all(regions.all.map((region) => untilView(region, 'to see itself only', alone)));
    // Names go on resolving, as those of a replicated zone do.
    const name = 'fed-us-r1-0.us.db.example.net';
    const found = await command('ip', ['netns', 'exec', eu.network.namespace, 'getent', 'hosts', name]);
    assert.ok(found.startsWith(`${(await podOf(us)).status.podIP} `));
    await regions.heal('us');
    await Promise.all(regions.all.map(untilBothLive));
  });

  test('keep the host ID of a pod that is deleted and comes back with another address', async () => {
    const [before, { LocalHostId }] = [await podOf(us), await viewOf(us)];
    await us.deletePod(namespace, 'fed-us-r1-0');
    await waitFor(async () => (await podOf(us)).metadata.uid !== before.metadata.uid, {
      what: 'the pod to be replaced',
      timeoutMs,
    });
    const back = await untilNormal(us);
    assert.equal(back.LocalHostId, LocalHostId);
    const address = (await podOf(us)).status.podIP as string;
    assert.notEqual(address, before.status.podIP);
    await untilView(eu, 'to know the new address', ({ LiveNodes, EndpointToHostId }) => {
      return LiveNodes.length === 2 && EndpointToHostId[address] === LocalHostId;
    });
  });

  test('are usable by a person: kubectl knows every region', async () => {
    for (const name of names) {
      const pods = await command(regions.kubectl, ['--context', name, '-n', namespace, 'get', 'pods', '-o', 'name']);
      assert.equal(pods.trim(), `pod/fed-${name}-r1-0`);
    }
  });

  test('log who wrote what', () => {
    const entries = readFileSync(us.auditLog, 'utf8').trim().split('\n');
    const writes = entries.map((line) => JSON.parse(line) as { verb: string; user: { username: string } });
    assert.ok(writes.some(({ verb, user }) => verb === 'delete' && user.username === 'admin'));
    assert.ok(writes.some(({ user }) => user.username === 'kubelet'));
    assert.ok(!writes.some(({ user }) => user.username === controllerUser));
    assert.ok(!writes.some(({ verb }) => verb === 'get' || verb === 'list' || verb === 'watch'));
  });

  test('leave nothing behind', async () => {
    await regions.stop();
    assert.ok(!existsSync(regions.directory));
    const left = await command('ip', ['netns', 'list']);
    assert.ok(regions.all.every(({ network }) => !new RegExp(`^${network.namespace}\\b`, 'm').test(left)));
  });
});
