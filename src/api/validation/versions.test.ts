import { overrides, patch, refused, template, templateWithout, us } from '../testing.ts';

refused([
  {
    title: 'no disks',
    change: templateWithout('dataCapacity'),
    expected: [
      'spec.template.spec.dataCapacity: Invalid: dataCapacity is required: without it data lives in the pods, and a rolling restart empties the ring. Set it, such as 100Gi, or set dataPolicy: Ephemeral.',
    ],
  },
  {
    title: 'no disks in one region, which removes them',
    change: us({ remove: ['/spec/dataCapacity'] }),
    expected: [
      'spec.regions[1].remove[0]: Invalid: dataCapacity is required: without it data lives in the pods, and a rolling restart empties the ring. Set it, such as 100Gi, or set dataPolicy: Ephemeral.',
    ],
  },
  {
    title: 'a size that is none',
    change: template({ dataCapacity: '100 GB' }),
    expected: [
      'spec.template.spec.dataCapacity: Invalid: dataCapacity must be text with a size above 0, such as "100Gi", but it is "100 GB".',
    ],
  },
  {
    title: 'a size of one datacenter that is none',
    change: overrides({ dataCapacity: '0Gi' }),
    expected: [
      'spec.regions[1].datacenters[0].overrides.dataCapacity: Invalid: dataCapacity must be text with a size above 0, such as "100Gi", but it is "0Gi".',
    ],
  },
  {
    title: 'a storage class that would be ignored',
    change: overrides({ dataStorageClass: 'fast' }),
    expected: [
      "spec.regions[1].datacenters[0].overrides.dataStorageClass: Invalid: The regional operator ignores a datacenter's dataStorageClass unless the datacenter has a dataCapacity of its own. Add it to these overrides.",
    ],
  },
  {
    title: 'no image',
    change: templateWithout('cassandraImage'),
    expected: [
      'spec.template.spec.cassandraImage: Invalid: cassandraImage is required: without it each regional operator would choose a version of its own. Name an image and its version, such as cassandra:5.0.8.',
    ],
  },
  {
    title: 'no serverVersion from Cassandra 4 on',
    change: templateWithout('serverVersion', { cassandraImage: 'registry.example.net:5000/cassandra:4.0.19' }),
    expected: [
      'spec.template.spec.serverVersion: Invalid: serverVersion is required from Cassandra 4.0 on: without it the regional operator decommissions nodes the old way and misplaces JVM options. Set it to the version of registry.example.net:5000/cassandra:4.0.19.',
    ],
  },
  {
    title: 'no serverVersion with a tag that does not tell it',
    change: templateWithout('serverVersion', { cassandraImage: 'cassandra:latest' }),
    expected: [
      'spec.template.spec.serverVersion: Invalid: The version cannot be told from the image cassandra:latest. Set serverVersion, such as 4.0.19.',
    ],
  },
  {
    title: "a serverVersion other than the image's",
    change: template({ cassandraImage: 'cassandra:4.1' }),
    expected: [
      'spec.template.spec.serverVersion: Invalid: serverVersion 5.0.8 is not the version of the image cassandra:4.1. Make them agree: the regional operator chooses commands by serverVersion.',
    ],
  },
  {
    title: 'a patch with another image and no version of its own',
    change: patch({ cassandraImage: 'cassandra:5.0.9' }),
    expected: [
      'spec.regions[1].patch.spec.serverVersion: Invalid: serverVersion 5.0.8 is not the version of the image cassandra:5.0.9. Make them agree: the regional operator chooses commands by serverVersion.',
    ],
  },
  {
    title: 'a serverVersion that is a number',
    change: template({ serverVersion: 5 }),
    expected: [
      'spec.template.spec.serverVersion: Invalid: serverVersion must be text of two or three numbers, such as "4.0.19", but it is 5.',
    ],
  },
]);
