import { address, refused } from '../testing.ts';

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
