/**
 * One region's own process, started inside the region's network namespace: its DNS server and its kubelet. The only
 * argument is a JSON file with {@link RegionAgentOptions}.
 */
import { readFileSync } from 'node:fs';
import { ApiServer } from './api-server.ts';
import { serveDns } from './dns/server.ts';
import { Zone } from './dns/zone.ts';
import { runKubelet, type KubeletOptions } from './kubelet/kubelet.ts';
import type { CassandraPrograms } from './toolchain.ts';

export interface RegionAgentOptions extends Pick<
  KubeletOptions,
  'region' | 'directory' | 'hostAddress' | 'podAddresses' | 'nodes' | 'probeTools'
> {
  readonly kubeconfig: string;
  readonly cassandra?: CassandraPrograms;
  /** Where all regions' records are. */
  readonly dnsDirectory: string;
  readonly regions: readonly string[];
}

const options = JSON.parse(readFileSync(process.argv[2] as string, 'utf8')) as RegionAgentOptions;
const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort(new Error(signal)));

const zone = new Zone(options.dnsDirectory, options.region, options.regions);
zone.publish([]);
await serveDns(zone, '127.0.0.1', 53, stop.signal);
const api = ApiServer.fromKubeconfig(options.kubeconfig);
await runKubelet({ ...options, api, zone, cassandra: options.cassandra }, stop.signal);
await api.close();
