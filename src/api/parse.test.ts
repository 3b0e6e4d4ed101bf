import { datacenters, refused, us } from './testing.ts';

refused([
  {
    title: 'a misspelt field of the spec',
    change: { rollouts: { paused: false } },
    expected: [
      'spec.rollouts: Invalid: "rollouts" is not a field that MultiCassandraCluster knows here. Did you mean "rollout"?',
    ],
  },
  {
    title: 'a misspelt field of a region',
    change: us({ contxt: 'us' }),
    expected: [
      'spec.regions[1].contxt: Invalid: "contxt" is not a field that MultiCassandraCluster knows here. Did you mean "context"?',
    ],
  },
  {
    title: 'a misspelt field of a datacenter',
    change: datacenters({ name: 'us', nodesPerRack: 3 }),
    expected: [
      'spec.regions[1].datacenters[0].nodesPerRack: Invalid: "nodesPerRack" is not a field that MultiCassandraCluster knows here. Did you mean "nodesPerRacks"?',
    ],
  },
  {
    title: 'a misspelt field of a rack',
    change: datacenters({ name: 'us', racks: [{ name: 'a', label: {} }] }),
    expected: [
      'spec.regions[1].datacenters[0].racks[0].label: Invalid: "label" is not a field that MultiCassandraCluster knows here. Did you mean "labels"?',
    ],
  },
  {
    title: 'a field of the wrong type',
    change: { rollout: { paused: 'yes' } },
    expected: ['spec.rollout.paused: Invalid: This must be true or false, but it is the text "yes".'],
  },
  {
    title: 'an unknown choice',
    change: { adoptionPolicy: 'ifUnchanged' },
    expected: [
      'spec.adoptionPolicy: Invalid: This must be one of Never, IfUnchanged, but it is the text "ifUnchanged". Did you mean "IfUnchanged"?',
    ],
  },
  {
    title: 'no regions',
    change: { regions: [] },
    expected: ['spec.regions: Invalid: There is no ring without a region. List at least one.'],
  },
  {
    title: 'a region without a name',
    change: { regions: [{ context: 'eu' }] },
    expected: ['spec.regions[0].name: Invalid: This field is required.'],
  },
  {
    title: 'a region name that is not a DNS label',
    change: { regions: [{ name: 'EU_West' }] },
    expected: [
      'spec.regions[0].name: Invalid: A region name is a DNS label: lower-case letters, digits and "-", beginning and ending with a letter or digit.',
    ],
  },
  {
    title: 'a cluster name that is not a service name',
    change: { clusterName: '1orders' },
    expected: [
      'spec.clusterName: Invalid: A cluster name has lower-case letters, digits and "-", begins with a letter and ends with a letter or digit.',
    ],
  },
  {
    title: 'more than three seeds a datacenter',
    change: { seeds: { perDatacenter: 4, address: '{pod}.{region}.db.example.net' } },
    expected: [
      'spec.seeds.perDatacenter: Invalid: More than three seeds in a datacenter only slow gossip down. Use 1 to 3.',
    ],
  },
  {
    title: 'a time that is negative',
    change: { seeds: { guardWaitSeconds: -1, address: '{pod}.{region}.db.example.net' } },
    expected: ['spec.seeds.guardWaitSeconds: Invalid: A time to wait cannot be negative. Use 0 or more.'],
  },
  {
    title: 'an acknowledged host ID that is no UUID',
    change: us({ acknowledgedHosts: [{ pod: 'orders-us-rack1-0', hostId: '42' }] }),
    expected: [
      'spec.regions[1].acknowledgedHosts[0].hostId: Invalid: A Cassandra host ID is a UUID in lower case, such as 8d5ed9f4-7764-4dbd-bad8-43fddce94b7c.',
    ],
  },
  {
    title: 'a datacenter name with a hyphen',
    change: datacenters({ name: 'us-east' }),
    expected: [
      'spec.regions[1].datacenters[0].name: Invalid: A datacenter name starts with a lower-case letter and has lower-case letters and digits only.',
    ],
  },
  {
    title: 'a rack name with a hyphen',
    change: datacenters({ name: 'us', racks: [{ name: 'us-east-1a' }] }),
    expected: [
      'spec.regions[1].datacenters[0].racks[0].name: Invalid: A rack name has lower-case letters and digits only: the regional operator splits names at "-".',
    ],
  },
  {
    title: 'a datacenter without racks',
    change: datacenters({ name: 'us', racks: [] }),
    expected: [
      'spec.regions[1].datacenters[0].racks: Invalid: A datacenter needs at least one rack; leave racks out for one rack named rack1.',
    ],
  },
  {
    title: 'no nodes',
    change: datacenters({ name: 'us', nodesPerRacks: 0 }),
    expected: [
      'spec.regions[1].datacenters[0].nodesPerRacks: Invalid: A datacenter needs at least one node in each rack.',
    ],
  },
]);
