import { datacenters, refused, us } from '../testing.ts';

refused([
  {
    title: 'a pod acknowledged twice',
    change: us({
      acknowledgedHosts: ['8', '9'].map((digit) => ({
        pod: 'orders-us-rack1-0',
        hostId: `${digit}d5ed9f4-7764-4dbd-bad8-43fddce94b7c`,
      })),
    }),
    expected: [
      'spec.regions[1].acknowledgedHosts[1].pod: Invalid: Pod orders-us-rack1-0 is acknowledged twice. Keep the entry with the host ID it carries now.',
    ],
  },
  {
    title: 'two regions of one name',
    change: {
      regions: [
        { name: 'eu', datacenters: [{ name: 'a' }] },
        { name: 'eu', datacenters: [{ name: 'b' }] },
      ],
    },
    expected: ['spec.regions[1].name: Invalid: There is another region named eu. Give each region a name of its own.'],
  },
  {
    title: 'two regions in the same place by their contexts',
    change: us({ context: 'eu' }),
    expected: [
      'spec.regions[1].context: Invalid: Regions eu and us are the same place: context eu, namespace cassandra. Give one of them another context or namespace.',
    ],
  },
  {
    title: 'two regions in the same place, written in another way',
    change: { regions: [{ name: 'eu', context: 'us', namespace: 'cassandra' }, { name: 'us' }] },
    expected: [
      'spec.regions[1].name: Invalid: Regions eu and us are the same place: context us, namespace cassandra. Give one of them another context or namespace.',
    ],
  },
  {
    title: "a region whose name cannot be its datacenter's",
    change: { regions: [{ name: 'eu-west-1' }] },
    expected: [
      'spec.regions[0].name: Invalid: Region eu-west-1 names no datacenters, so its one datacenter would be named eu-west-1; but a datacenter name starts with a lower-case letter and has lower-case letters and digits only. List its datacenters.',
    ],
  },
  {
    title: 'one datacenter name in two regions',
    change: datacenters({ name: 'eu' }),
    expected: [
      'spec.regions[1].datacenters[0].name: Invalid: Region eu has a datacenter named eu already. Datacenter names are unique in the whole ring; rename one.',
    ],
  },
  {
    title: 'one datacenter name twice in a region',
    change: datacenters({ name: 'us' }, { name: 'us' }),
    expected: [
      'spec.regions[1].datacenters[1].name: Invalid: Region us has a datacenter named us already. Datacenter names are unique in the whole ring; rename one.',
    ],
  },
  {
    title: 'a datacenter name that begins with another one',
    change: datacenters({ name: 'eu2' }, { name: 'us' }),
    expected: [
      'spec.regions[1].datacenters[0].name: Invalid: Datacenter name eu2 begins with the name of datacenter eu (region eu), and the regional operator takes data of the one for data of the other. Rename one, so that no name is the beginning of another.',
    ],
  },
  {
    title: 'one rack name twice',
    change: datacenters({ name: 'us', racks: [{ name: 'a' }, { name: 'b' }, { name: 'a' }] }),
    expected: [
      'spec.regions[1].datacenters[0].racks[2].name: Invalid: There is another rack named a in datacenter us. Give each rack a name of its own.',
    ],
  },
  {
    title: 'a StatefulSet name that is too long',
    change: { clusterName: 'orders-and-invoices-of-all-customers', regions: [{ name: 'frankfurt' }] },
    expected: [
      'spec.regions[0].name: Invalid: orders-and-invoices-of-all-customers-frankfurt-rack1 has 52 characters, and <cluster>-<datacenter>-<rack> may have 45. Shorten one of the three names.',
    ],
  },
]);
