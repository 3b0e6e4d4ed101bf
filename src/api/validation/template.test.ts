import { datacenters, overrides, patch, refused, template, templateSpec, us } from '../testing.ts';

refused([
  {
    title: 'a rack label that Kubernetes does not take',
    change: datacenters({ name: 'us', racks: [{ name: 'a', labels: { 'topology.kubernetes.io/zone': 'us east' } }] }),
    expected: [
      'spec.regions[1].datacenters[0].racks[0].labels["topology.kubernetes.io/zone"]: Invalid: "us east" is not a value that Kubernetes takes: at most 63 letters, digits, "-", "_" and ".", beginning and ending with a letter or digit.',
    ],
  },
  {
    title: 'no nodes in the template',
    change: template({ nodesPerRacks: 0 }),
    expected: ['spec.template.spec.nodesPerRacks: Invalid: This must be a whole number of at least 1.'],
  },
  {
    title: 'maxPodUnavailable 0, which stops every change',
    change: patch({ maxPodUnavailable: 0 }),
    expected: [
      'spec.regions[1].patch.spec.maxPodUnavailable: Invalid: This must be a whole number of at least 1: with 0 the regional operator never changes anything again.',
    ],
  },
  {
    title: 'a misspelt field in overrides',
    change: overrides({ dataCapcity: '1Gi' }),
    expected: [
      'spec.regions[1].datacenters[0].overrides.dataCapcity: Invalid: A datacenter can override config, resources, dataCapacity, dataStorageClass, not "dataCapcity". Did you mean "dataCapacity"?',
    ],
  },
  {
    title: 'a topology in the template',
    change: template({ topology: { dc: [{ name: 'dc1' }] } }),
    expected: [
      'spec.template.spec.topology: Invalid: Ringmaster writes the topology. Leave it out, and describe datacenters and racks in spec.regions[].datacenters.',
    ],
  },
  {
    title: 'seeds that the regional operator updates',
    change: template({ autoUpdateSeedList: true }),
    expected: [
      "spec.template.spec.autoUpdateSeedList: Invalid: With it the regional operator drops the other regions' seeds from the list. Leave it out.",
    ],
  },
  {
    title: 'another cluster name in the config',
    change: template({ config: { 'cluster-info': { name: 'other' } } }),
    expected: [
      'spec.template.spec.config.cluster-info: Invalid: Ringmaster sets the name of the cluster and its seeds. Nodes with another name here form a ring of their own. Leave it out; the name of the cluster is spec.clusterName.',
    ],
  },
  {
    title: 'another datacenter name in the config',
    change: overrides({ config: { 'datacenter-info': { name: 'dc1' } } }),
    expected: [
      'spec.regions[1].datacenters[0].overrides.config.datacenter-info: Invalid: The datacenter is named by spec.regions[].datacenters[].name, and the regional operator looks for that name in the ring. Leave it out.',
    ],
  },
  {
    title: 'seeds and cluster name in cassandra.yaml',
    change: patch({ config: { 'cassandra-yaml': { seed_provider: [], cluster_name: 'x' } } }),
    expected: [
      'spec.regions[1].patch.spec.config.cassandra-yaml.seed_provider: Invalid: Ringmaster chooses the seeds; nodes with others can form a ring of their own. Leave it out, and see spec.seeds.',
      'spec.regions[1].patch.spec.config.cassandra-yaml.cluster_name: Invalid: Nodes with another name here form a ring of their own. Leave it out; the name of the cluster is spec.clusterName.',
    ],
  },
  {
    title: 'another snitch',
    change: template({ config: { 'cassandra-yaml': { endpoint_snitch: 'SimpleSnitch' } } }),
    expected: [
      'spec.template.spec.config.cassandra-yaml.endpoint_snitch: Invalid: Only GossipingPropertyFileSnitch takes datacenter and rack from the regional operator; another one puts all nodes into one datacenter. Leave it out.',
    ],
  },
  {
    title: "a partitioner of one region's own",
    change: patch({ config: { 'cassandra-yaml': { partitioner: 'RandomPartitioner' } } }),
    expected: [
      'spec.regions[1].patch.spec.config.cassandra-yaml.partitioner: Invalid: All nodes of one ring need the same partitioner. Set it in spec.template.spec.',
    ],
  },
  {
    title: 'seeds in the environment',
    change: template({
      envVars: [
        { name: 'A', value: 'b' },
        { name: 'CASSANDRA_SEEDS', value: 'x' },
      ],
    }),
    expected: [
      'spec.template.spec.envVars[1].name: Invalid: Ringmaster tells the nodes their ring; CASSANDRA_SEEDS could lead them to another one. Leave it out.',
    ],
  },
  {
    title: "a cluster name in the sidecar's environment",
    change: patch({ backRestSidecar: { envVars: [{ name: 'CASSANDRA_CLUSTER_NAME', value: 'x' }] } }),
    expected: [
      'spec.regions[1].patch.spec.backRestSidecar.envVars[0].name: Invalid: Ringmaster tells the nodes their ring; CASSANDRA_CLUSTER_NAME could lead them to another one. Leave it out.',
    ],
  },
  {
    title: 'commands and switches that hurt',
    change: template({ unlockNextOperation: true, noCheckStsAreEqual: true, deletePVC: true }),
    expected: [
      'spec.template.spec.unlockNextOperation: Invalid: This is a command for one moment, not a state to keep, and it skips the guard against disruption. Leave it out.',
      'spec.template.spec.noCheckStsAreEqual: Invalid: With it the regional operator rewrites its StatefulSets on every pass, so the region never settles. Leave it out.',
      'spec.template.spec.deletePVC: Invalid: With it the data is deleted along with the member. Leave it out; Ringmaster never deletes data.',
    ],
  },
  {
    title: 'a password for Jolokia',
    change: template({ imageJolokiaSecret: { name: 'jolokia' } }),
    expected: [
      'spec.template.spec.imageJolokiaSecret: Invalid: With it Jolokia asks for a password, and Ringmaster cannot read the ring through it. Leave it out, and guard port 8778 with a network policy.',
    ],
  },
  {
    title: "Ringmaster's own ConfigMap",
    change: template({ configMapName: 'orders-ringmaster' }),
    expected: [
      'spec.template.spec.configMapName: Invalid: orders-ringmaster is the ConfigMap that Ringmaster itself writes. Give yours another name; its pre_run.sh and post_run.sh are run too.',
    ],
  },
  {
    title: 'a node count in overrides',
    change: overrides({ nodesPerRacks: 2, labels: {} }),
    expected: [
      'spec.regions[1].datacenters[0].overrides.nodesPerRacks: Invalid: nodesPerRacks stands beside overrides, not in it. Move it.',
      'spec.regions[1].datacenters[0].overrides.labels: Invalid: The labels stand beside overrides, not in it. Move them.',
    ],
  },
  {
    title: 'null in the template',
    change: template({ config: { 'cassandra-yaml': { num_tokens: null } } }),
    expected: [
      'spec.template.spec.config.cassandra-yaml.num_tokens: Invalid: null does not survive kubectl apply, so it is refused. To take a field out of the template for a region, name it in spec.regions[].remove.',
    ],
  },
  {
    title: 'null in a patch',
    change: patch({ autoPilot: null }),
    expected: [
      'spec.regions[1].patch.spec.autoPilot: Invalid: null does not survive kubectl apply, so it is refused. To take a field out of the template for a region, name it in spec.regions[].remove.',
    ],
  },
  {
    title: 'null in overrides',
    change: overrides({ resources: null }),
    expected: [
      'spec.regions[1].datacenters[0].overrides.resources: Invalid: null does not survive kubectl apply, so it is refused. To take a field out of the template for a region, name it in spec.regions[].remove.',
    ],
  },
  {
    title: 'a name and a namespace in the template',
    change: { template: { metadata: { name: 'x', namespace: 'y', lables: {} }, spec: templateSpec } },
    expected: [
      'spec.template.metadata.name: Invalid: Every member is named after the cluster. Leave it out, or set spec.clusterName.',
      "spec.template.metadata.namespace: Invalid: A member's namespace is that of its region. Leave it out, or set spec.regions[].namespace.",
      'spec.template.metadata.lables: Invalid: Only labels and annotations of the members can be set here, not "lables". Did you mean "labels"?',
    ],
  },
  {
    title: 'labels with a meaning of their own',
    change: {
      template: {
        metadata: { labels: { app: 'x', 'operation-name': 'cleanup' }, annotations: { 'ringmaster.dev/owner': 'me' } },
        spec: templateSpec,
      },
    },
    expected: [
      'spec.template.metadata.labels.app: Invalid: app has a meaning of its own for the regional operator. Choose another one.',
      'spec.template.metadata.labels.operation-name: Invalid: operation-name has a meaning of its own for the regional operator. Choose another one.',
      'spec.template.metadata.annotations["ringmaster.dev/owner"]: Invalid: Keys that begin with ringmaster.dev/ are kept for Ringmaster itself. Choose another one.',
    ],
  },
  {
    title: 'a removal that is no JSON pointer',
    change: us({ remove: ['spec/autoPilot'] }),
    expected: [
      'spec.regions[1].remove[0]: Invalid: "spec/autoPilot" is not a JSON pointer. It begins with "/", such as /spec/autoPilot; in a name "~" is written ~0 and "/" ~1.',
    ],
  },
  {
    title: 'a removal that points at nothing',
    change: us({ remove: ['/spec/dataCapacty'] }),
    expected: [
      'spec.regions[1].remove[0]: Invalid: /spec/dataCapacty points at nothing in the template. Did you mean "dataCapacity"? Correct it, or leave this entry out.',
    ],
  },
  {
    title: 'a removal of everything',
    change: us({ remove: ['/spec'] }),
    expected: [
      'spec.regions[1].remove[0]: Invalid: "/spec" must point below /spec, at /metadata/labels or at /metadata/annotations of the template.',
      'spec.template.spec.cassandraImage: Invalid: cassandraImage is required: without it each regional operator would choose a version of its own. Name an image and its version, such as cassandra:5.0.8.',
      'spec.template.spec.dataCapacity: Invalid: dataCapacity is required: without it data lives in the pods, and a rolling restart empties the ring. Set it, such as 100Gi, or set dataPolicy: Ephemeral.',
    ],
  },
  {
    title: 'a removal of what only Ringmaster sets',
    change: us({ remove: ['/spec/topology/dc/0'] }),
    expected: [
      'spec.regions[1].remove[0]: Invalid: /spec/topology/dc/0 is a field that only Ringmaster sets, so it cannot be removed. Leave this entry out.',
    ],
  },
]);
