/**
 * A cassandra.yaml for a small node of Cassandra 5.0; it refuses keys that it does not know. The line of the seeds is
 * the one that the init container fills in. request_timeout is that of the echo by which a node finds another one alive: a node that
 * misses the answer once holds the other to be down for good, see docs/decisions/0010-nodes-that-are-held-to-be-down.md. Reads and
 * writes may take long, too: on a busy machine a node that takes in the hints of its absence is slow, and that is no failure.
 */
export function cassandraYaml(node: {
  clusterName: string;
  address: string;
  dataDirectory: string;
  ports?: { storage: number; native: number };
}): string {
  const { clusterName, address, dataDirectory, ports = { storage: 7000, native: 9042 } } = node;
  return `cluster_name: '${clusterName}'
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: GossipingPropertyFileSnitch
num_tokens: 4
listen_address: ${address}
rpc_address: ${address}
storage_port: ${ports.storage}
native_transport_port: ${ports.native}
start_native_transport: true
request_timeout: 60s
read_request_timeout: 20s
write_request_timeout: 20s
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: ""
authenticator: AllowAllAuthenticator
authorizer: AllowAllAuthorizer
auto_snapshot: false
cdc_enabled: false
commitlog_sync: periodic
commitlog_sync_period: 10s
commitlog_segment_size: 5MiB
commitlog_total_space: 64MiB
memtable_heap_space: 32MiB
memtable_offheap_space: 32MiB
key_cache_size: 5MiB
file_cache_size: 32MiB
concurrent_reads: 2
concurrent_writes: 2
concurrent_counter_writes: 2
concurrent_compactors: 1
memtable_flush_writers: 1
disk_access_mode: standard
data_file_directories: [${dataDirectory}/data]
commitlog_directory: ${dataDirectory}/commitlog
saved_caches_directory: ${dataDirectory}/saved_caches
hints_directory: ${dataDirectory}/hints
cdc_raw_directory: ${dataDirectory}/cdc_raw
`;
}

/** Where a node stands, for GossipingPropertyFileSnitch. */
export function rackProperties(datacenter: string, rack: string): string {
  return `dc=${datacenter}\nrack=${rack}\n`;
}

export const logbackXml = `<configuration>
  <appender name="STDOUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%-5level [%thread] %date{ISO8601} %F:%L - %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="STDOUT"/></root>
</configuration>
`;
