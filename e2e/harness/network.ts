import { writeFileSync } from 'node:fs';
import { HarnessError } from './errors.ts';
import { command } from './run/command.ts';
import type { Run } from './run/run.ts';

/** Where one region lives in the run's network. */
export interface RegionNetwork {
  readonly name: string;
  /** The region's network namespace. */
  readonly namespace: string;
  /** 1 to 15; the third octet's offset within the run's addresses. */
  readonly number: number;
  /** The region's /24 as CIDR. */
  readonly subnet: string;
  readonly apiServerAddress: string;
  /** Every address a pod may get, in the order in which they are handed out. */
  readonly podAddresses: readonly string[];
}

/**
 * How a cut link behaves. `blackhole`: packets vanish, connections run into time-outs, as behind a firewall.
 * `unreachable`: connections fail at once, as without a route.
 */
export type CutStyle = 'blackhole' | 'unreachable';

/** What a cut takes away: only traffic between regions, or also the host's way to the region's API server. */
export type CutScope = 'regions' | 'everything';

export const regionsMax = 15;

/** First address of a slot: its 4096 addresses inside 198.18.0.0/15. */
export function slotAddress(slot: number, third: number, fourth: number): string {
  const offset = slot * 4096 + third * 256 + fourth;
  return `198.${18 + (offset >> 16)}.${(offset >> 8) & 255}.${offset & 255}`;
}

// Pod addresses are .16 to .254: prefixes that leave out the API server (.1) and the router (.2).
const podRanges = [
  { first: 16, length: 28 },
  { first: 32, length: 27 },
  { first: 64, length: 26 },
  { first: 128, length: 25 },
] as const;

// Where the cuts stand among the routing rules: after local addresses (0), before the main table (32766).
const cutPriority = 300;

/** Addresses and names of the regions of a run; pure, so that tests can compare slots. */
export function planRegions(slot: number, names: readonly string[]): RegionNetwork[] {
  if (names.length > regionsMax) throw new RangeError(`at most ${regionsMax} regions, not ${names.length}`);
  return names.map((name, index) => {
    const number = index + 1;
    return {
      name,
      namespace: `rm${slot}-${name}`,
      number,
      subnet: `${slotAddress(slot, number, 0)}/24`,
      apiServerAddress: slotAddress(slot, number, 1),
      podAddresses: Array.from({ length: 239 }, (_, pod) => slotAddress(slot, number, pod + 16)),
    };
  });
}

/**
 * The run's network: one namespace as router (the "WAN"), one link from it to the machine's own namespace, one to each
 * region. Inside a region every pod address is local without being configured (AnyIP), so a pod can take any of them.
 */
export class Network {
  readonly regions: readonly RegionNetwork[];
  readonly #run: Run;
  readonly #router: string;
  readonly #hostSubnet: string;
  readonly #cuts = new Map<string, Cut>();
  #applied: Promise<ReadonlyMap<string, Rule>> = Promise.resolve(new Map());

  private constructor(run: Run, regions: readonly RegionNetwork[]) {
    this.regions = regions;
    this.#run = run;
    this.#router = `rm${run.slot}-wan`;
    this.#hostSubnet = `${slotAddress(run.slot, 0, 0)}/24`;
  }

  /** Makes namespaces, links and routes; everything is in the run's journal first. */
  static async create(run: Run, names: readonly string[]): Promise<Network> {
    const network = new Network(run, planRegions(run.slot, names));
    const router = network.#router;
    const { slot } = run;
    const link = `rm${slot}`;
    run.recordLink(link);
    await addNamespace(run, router, [`127.0.0.1 localhost`], []);
    await ip(router, ['link set lo up']);
    await command('ip', ['netns', 'exec', router, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);
    await ip(undefined, [
      `link add ${link} type veth peer name host netns ${router}`,
      `addr add ${slotAddress(slot, 0, 2)}/24 dev ${link}`,
      `link set ${link} up`,
    ]);
    await ip(router, [`addr add ${slotAddress(slot, 0, 1)}/24 dev host`, 'link set host up']);
    await ip(undefined, [`route add ${slotAddress(slot, 0, 0)}/20 via ${slotAddress(slot, 0, 1)} dev ${link}`]);
    for (const region of network.regions) await network.#addRegion(run, region);
    return network;
  }

  async #addRegion(run: Run, region: RegionNetwork): Promise<void> {
    const { namespace, number } = region;
    const gateway = slotAddress(run.slot, number, 2);
    await addNamespace(run, namespace, ['127.0.0.1 localhost'], ['nameserver 127.0.0.1', 'options timeout:2']);
    await ip(this.#router, [
      `link add r${number} type veth peer name eth0 netns ${namespace}`,
      `addr add ${gateway}/24 dev r${number}`,
      `link set r${number} up`,
    ]);
    await ip(namespace, [
      'link set lo up',
      `addr add ${region.apiServerAddress}/24 dev eth0`,
      'link set eth0 up',
      `route add default via ${gateway}`,
      ...podRanges.map(
        ({ first, length }) => `route add local ${slotAddress(run.slot, number, first)}/${length} dev lo`,
      ),
    ]);
  }

  /**
   * Cuts a region off from all other regions, both ways; pods inside it still reach one another. With scope `regions`
   * the host still reaches its API server and, through it, its pods. Replaces an earlier cut of the region.
   */
  cut(region: string, style: CutStyle = 'blackhole', scope: CutScope = 'regions'): Promise<void> {
    const { subnet } = this.#region(region);
    const others = this.regions.filter(({ name }) => name !== region).map((other) => other.subnet);
    const peers = scope === 'everything' ? [...others, this.#hostSubnet] : others;
    this.#cuts.set(region, { style, pairs: peers.map((peer) => [subnet, peer]) });
    return this.#apply();
  }

  /** Undoes {@link cut}; cuts of pairs stay. */
  heal(region: string): Promise<void> {
    this.#cuts.delete(this.#region(region).name);
    return this.#apply();
  }

  /** Cuts the traffic between two regions, both ways, and leaves each one's way to third regions. */
  cutBetween(one: string, other: string, style: CutStyle = 'blackhole'): Promise<void> {
    this.#cuts.set(pairKey(one, other), { style, pairs: [[this.#region(one).subnet, this.#region(other).subnet]] });
    return this.#apply();
  }

  healBetween(one: string, other: string): Promise<void> {
    this.#cuts.delete(pairKey(this.#region(one).name, this.#region(other).name));
    return this.#apply();
  }

  /** Brings the namespaces' rules to what the cuts ask for; one change after the other. */
  #apply(): Promise<void> {
    this.#applied = this.#applied.then(async (before) => {
      const wanted = this.#wantedRules();
      for (const [key, rule] of wanted) if (!before.has(key)) await this.#change('add', rule);
      for (const [key, rule] of before) if (!wanted.has(key)) await this.#change('del', rule);
      return wanted;
    });
    return this.#applied.then(() => undefined);
  }

  /**
   * A black hole is in the router. What is unreachable is refused where it starts, because a router may answer with
   * one ICMP message a second only: icmp(7), icmp_ratelimit.
   */
  #wantedRules(): Map<string, Rule> {
    const wanted = new Map<string, Rule>();
    for (const { style, pairs } of this.#cuts.values())
      for (const [one, other] of pairs)
        for (const [from, to] of [
          [one, other],
          [other, one],
        ] as const) {
          const source = this.regions.find(({ subnet }) => subnet === from);
          const rule: Rule =
            style === 'blackhole'
              ? { namespace: this.#router, text: `rule add pref ${cutPriority} from ${from} to ${to} blackhole` }
              : source
                ? { namespace: source.namespace, text: `rule add pref ${cutPriority} to ${to} unreachable` }
                : { namespace: undefined, text: `route add unreachable ${to}` };
          wanted.set(`${rule.namespace} ${rule.text}`, rule);
        }
    return wanted;
  }

  async #change(verb: 'add' | 'del', { namespace, text }: Rule): Promise<void> {
    if (verb === 'add' && namespace === undefined) this.#run.recordRoute(text.replace('route add ', ''));
    await ip(namespace, [text.replace(' add ', ` ${verb} `)]);
  }

  #region(name: string): RegionNetwork {
    const region = this.regions.find((each) => each.name === name);
    if (!region) throw new HarnessError('UnknownRegion', `There is no region ${name} in this run.`);
    return region;
  }
}

interface Cut {
  readonly style: CutStyle;
  /** Subnets between which nothing passes. */
  readonly pairs: readonly (readonly [string, string])[];
}

/** A line for `ip`, in a namespace or, with undefined, on the machine itself. */
interface Rule {
  readonly namespace: string | undefined;
  readonly text: string;
}

function pairKey(one: string, other: string): string {
  return [one, other].sort().join(' ');
}

/** `ip netns exec` shows the files of /etc/netns/<name> to its program in place of /etc's: ip-netns(8). */
async function addNamespace(
  run: Run,
  name: string,
  hosts: readonly string[],
  resolver: readonly string[],
): Promise<void> {
  run.recordNamespace(name);
  run.makeDirectory(`/etc/netns/${name}`);
  writeFileSync(`/etc/netns/${name}/hosts`, [...hosts, ''].join('\n'));
  writeFileSync(`/etc/netns/${name}/resolv.conf`, [...resolver, ''].join('\n'));
  await command('ip', ['netns', 'add', name]);
}

/** Runs several `ip` commands at once, in a namespace or, without one, on the machine itself. */
async function ip(namespace: string | undefined, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  const where = namespace === undefined ? [] : ['-n', namespace];
  await command('ip', [...where, '-batch', '-'], { input: `${lines.join('\n')}\n` });
}
