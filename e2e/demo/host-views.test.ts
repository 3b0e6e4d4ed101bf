import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { doubt, hostTable, type SeenHost } from './host-views.ts';

const regions = ['eu', 'us'];

function seenBy(seenFrom: string, changed: Partial<SeenHost> = {}): SeenHost[] {
  return regions.map((region, index) => ({
    seenFrom,
    region,
    pod: `orders-${region}-0`,
    address: `198.18.${index}.16`,
    hostId: `id-${region}`,
    state: 'up, normal',
    datacenter: region,
    ...(region === 'us' && changed),
  }));
}

suite('views of the ring', () => {
  test('prove one ring when every node sees one up and normal host of each region', () => {
    assert.equal(doubt([...seenBy('eu'), ...seenBy('us')], regions), undefined);
  });

  test('prove nothing when no node, or not every node, was asked', () => {
    assert.equal(doubt([], regions), 'no node was asked');
    assert.equal(doubt(seenBy('eu'), regions), 'us sees other hosts than eu');
  });

  test('prove nothing when nodes see different hosts, or place them in different datacenters', () => {
    for (const changed of [{ hostId: 'id-new' }, { address: '198.18.9.9' }, { datacenter: 'dc9' }])
      assert.equal(doubt([...seenBy('eu'), ...seenBy('us', changed)], regions), 'us sees other hosts than eu');
  });

  test('prove nothing when a region has no host, even though all agree', () => {
    const alone = [...seenBy('eu'), ...seenBy('us')].filter(({ region }) => region === 'eu');
    assert.equal(doubt(alone, regions), 'eu sees hosts in eu');
  });

  test('prove nothing while a host is down or joins', () => {
    const joining = { state: 'up, joining' };
    const views = [...seenBy('eu', joining), ...seenBy('us')];
    assert.equal(doubt(views, regions), 'eu sees orders-us-0 as up, joining');
  });

  test('are shown as a table with one line for every host that a node sees', () => {
    const [head, first] = hostTable(seenBy('eu'));
    assert.equal(head, '  seen from  region  pod          address      host ID  state       datacenter');
    assert.equal(first, '  eu         eu      orders-eu-0  198.18.0.16  id-eu    up, normal  eu');
  });
});
