import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { effective, podAddress, podsOf } from '../effective.ts';
import { parseMultiCassandraCluster } from '../parse.ts';
import { address, objectWith, refused } from '../testing.ts';
import { validate } from '../validate.ts';

refused([
  {
    title: 'several regions and no address',
    change: { seeds: {} },
    expected: [
      'spec.seeds.address: Invalid: With more than one region, nodes must find each other by names that resolve in every region. Set seeds.address, such as {pod}.{region}.db.example.net.',
    ],
  },
  {
    title: 'an address with an unknown variable',
    change: address('{pod}.{dc}.{regon}.example.net'),
    expected: [
      'spec.seeds.address: Invalid: {dc} is not a variable. There are {pod} {service} {namespace} {cluster} {datacenter} {rack} {region}.',
      'spec.seeds.address: Invalid: {regon} is not a variable. Did you mean {region}? There are {pod} {service} {namespace} {cluster} {datacenter} {rack} {region}.',
    ],
  },
  {
    title: 'an address without the pod',
    change: address('{region}.db.example.net'),
    expected: [
      'spec.seeds.address: Invalid: The address must contain {pod}: without it several nodes have the same address.',
    ],
  },
  {
    title: 'an address with a comma',
    change: address('{pod}.a.example.net,{pod}.b.example.net'),
    expected: [
      'spec.seeds.address: Invalid: The address must not contain a comma: seeds are joined with commas. Write the address of one node.',
    ],
  },
  {
    title: 'an address that is no DNS name',
    change: address('{pod}_{region}.example.net'),
    expected: [
      'spec.seeds.address: Invalid: For pod orders-eu-rack1-0 of region eu this gives "orders-eu-rack1-0_eu.example.net", which is not a DNS name: parts of lower-case letters, digits and "-", at most 63 characters each and 253 in all, with dots between them.',
    ],
  },
  {
    title: 'an address whose label is too long',
    change: address(
      '{pod}-{cluster}-{namespace}-{service}-{datacenter}-{rack}-{region}-{cluster}-of-the-ring.example.net',
    ),
    expected: [
      'spec.seeds.address: Invalid: For pod orders-eu-rack1-0 of region eu this gives "orders-eu-rack1-0-orders-cassandra-orders-eu-rack1-eu-orders-of-the-ring.example.net", which is not a DNS name: parts of lower-case letters, digits and "-", at most 63 characters each and 253 in all, with dots between them.',
    ],
  },
]);

test('no two nodes of an accepted object have the same address', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9]{0,2}$/);
  const label = fc.stringMatching(/^[a-z0-9](-?[a-z0-9]){0,3}$/);
  const rack = fc.record({ name: fc.stringMatching(/^[a-z0-9]{1,2}$/) });
  const racks = fc.uniqueArray(rack, { minLength: 1, maxLength: 3, selector: (each) => each.name });
  const datacenter = fc.record({ name, racks, nodesPerRacks: fc.integer({ min: 1, max: 12 }) });
  const datacenters = fc.array(datacenter, { minLength: 1, maxLength: 2 });
  const regions = fc.uniqueArray(fc.record({ name: label, datacenters }), {
    minLength: 1,
    maxLength: 3,
    selector: (each) => each.name,
  });
  const variable = fc.constantFrom(
    '{pod}',
    '{region}',
    '{rack}',
    '{datacenter}',
    '{namespace}',
    '{cluster}',
    '.',
    '-',
    'x',
  );
  const template = fc.array(variable, { maxLength: 4 }).map((parts) => `{pod}${parts.join('')}`);
  fc.assert(
    fc.property(regions, template, fc.boolean(), (list, text, reversed) => {
      const written = reversed ? text.replace(/^\{pod\}(.*)$/, '$1{pod}') : text;
      const { mcc } = parseMultiCassandraCluster(objectWith({ regions: list, seeds: { address: written } }));
      fc.pre(mcc !== undefined && validate(mcc).length === 0);
      const federation = effective(mcc);
      const addresses = federation.regions.flatMap((region) =>
        region.racks.flatMap((each) =>
          podsOf(federation.clusterName, each).map((pod) => podAddress(federation, region, each, pod)),
        ),
      );
      assert.equal(new Set(addresses).size, addresses.length);
    }),
    { numRuns: 300 },
  );
});
