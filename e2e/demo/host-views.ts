import type { Federation } from '../ring/federation.ts';
import { table } from './table.ts';

/** One host of the ring as one node sees it. */
export interface SeenHost {
  /** The region whose node was asked. */
  readonly seenFrom: string;
  /** Region and pod that have the address; `?` when no pod has it. */
  readonly region: string;
  readonly pod: string;
  readonly address: string;
  readonly hostId: string;
  /** `up` or `down`, and the node's place in the ring, as `nodetool status` has them. */
  readonly state: string;
  readonly datacenter: string;
}

interface View {
  OperationMode: string;
  EndpointToHostId: Record<string, string>;
  LiveNodes: string[];
  JoiningNodes: string[];
  LeavingNodes: string[];
  MovingNodes: string[];
}

const attributes = 'OperationMode,EndpointToHostId,LiveNodes,JoiningNodes,LeavingNodes,MovingNodes';

/** Asks every node of every region, through its region's API server, for the hosts it sees. */
export async function readHostViews(federation: Federation): Promise<SeenHost[]> {
  const owners = new Map<string, { region: string; pod: string }>();
  for (const { name: region } of federation.regions.all)
    for (const pod of await federation.pods(region))
      owners.set(pod.status.podIP ?? '', { region, pod: pod.metadata.name });
  const views = await Promise.all([...owners.values()].map(({ region, pod }) => readView(federation, region, pod)));
  return views.flat().map((seen) => ({ region: '?', pod: '?', ...owners.get(seen.address), ...seen }));
}

async function readView(
  federation: Federation,
  seenFrom: string,
  pod: string,
): Promise<Omit<SeenHost, 'region' | 'pod'>[]> {
  const view = (await federation.ask(seenFrom, pod, attributes)) as unknown as View;
  if (view.OperationMode !== 'NORMAL') throw new Error(`${pod} says that it is ${view.OperationMode}`);
  const hosts = Object.entries(view.EndpointToHostId).sort(([one], [other]) => one.localeCompare(other));
  return Promise.all(
    hosts.map(async ([address, hostId]) => ({
      seenFrom,
      address,
      hostId,
      state: `${view.LiveNodes.includes(address) ? 'up' : 'down'}, ${place(view, address)}`,
      datacenter: await readDatacenter(federation, seenFrom, pod, address),
    })),
  );
}

function place(view: View, address: string): string {
  if (view.JoiningNodes.includes(address)) return 'joining';
  if (view.LeavingNodes.includes(address)) return 'leaving';
  return view.MovingNodes.includes(address) ? 'moving' : 'normal';
}

/** Which datacenter a node takes another one to be in: operation of MBean EndpointSnitchInfo. */
async function readDatacenter(federation: Federation, region: string, pod: string, address: string): Promise<string> {
  const path =
    `/api/v1/namespaces/${federation.namespace}/pods/${pod}:8778/proxy/jolokia/exec/` +
    `org.apache.cassandra.db:type=EndpointSnitchInfo/getDatacenter(java.lang.String)/${address}`;
  const text = await federation.api(region).get<unknown>(path);
  const answer = (typeof text === 'string' ? JSON.parse(text) : text) as { status: number; value: string };
  if (answer.status !== 200) throw new Error(`${pod} does not tell the datacenter of ${address}`);
  return answer.value;
}

/** Why the views are no proof of one ring with one up and normal host a region; undefined when they are. */
export function doubt(seen: readonly SeenHost[], regions: readonly string[]): string | undefined {
  const [first, ...others] = regions.map((region) => seen.filter(({ seenFrom }) => seenFrom === region));
  if (!first?.length) return 'no node was asked';
  const inRegions = first.map(({ region }) => region).sort();
  if (inRegions.join() !== [...regions].sort().join()) return `${regions[0]} sees hosts in ${inRegions.join(', ')}`;
  const different = others.findIndex((view) => identities(view) !== identities(first));
  if (different !== -1) return `${regions[different + 1]} sees other hosts than ${regions[0]}`;
  const unwell = seen.find(({ state }) => state !== 'up, normal');
  return unwell && `${unwell.seenFrom} sees ${unwell.pod} as ${unwell.state}`;
}

function identities(view: readonly SeenHost[]): string {
  return view.map(({ address, hostId, datacenter }) => `${address} ${hostId} ${datacenter}`).join('\n');
}

export function hostTable(seen: readonly SeenHost[]): string[] {
  return table([
    ['seen from', 'region', 'pod', 'address', 'host ID', 'state', 'datacenter'],
    ...seen.map((each) => [
      each.seenFrom,
      each.region,
      each.pod,
      each.address,
      each.hostId,
      each.state,
      each.datacenter,
    ]),
  ]);
}
