/**
 * What CassKop's init container `bootstrap` decides: the guard's pre_run.sh (src/federation/guard), CassKop's run.sh
 * and the guard's post_run.sh, in one step that looks at everything once. A conformance test holds it against the
 * scripts.
 */

/** What a seed's Jolokia port, as found under the name in the list, has to say. */
export type SeedAnswer =
  /** The name is not known, or nobody accepts a connection. */
  | { kind: 'silent' }
  /** The resolver cannot tell whether there is such a name. */
  | { kind: 'resolverFails' }
  /** It accepts connections, and does not answer as Cassandra (yet). */
  | { kind: 'open' }
  | { kind: 'cassandra'; mode: string; clusterName: string; hostId: string; hasJoining: boolean };

export interface BootstrapInput {
  /** The files at /configmap; undefined when nothing is mounted there. */
  readonly configMap: Readonly<Record<string, string>> | undefined;
  readonly pod: string;
  /** What `hostname -f` prints. */
  readonly hostName: string;
  readonly address: string;
  readonly clusterName: string;
  /** The variable CASSANDRA_SEEDS. */
  readonly seeds: string;
  /** Since the container started. */
  readonly elapsedSeconds: number;
  readonly ask: (seed: string) => SeedAnswer;
}

/**
 * - `wait`: the container goes on; the answer cannot change by time alone before `untilSeconds` after its start.
 * - `fail`: it ends with an error, and is started again.
 * - `start`: Cassandra starts with these settings; `alone` is what let the pod start although no seed is live.
 */
export type BootstrapDecision =
  | { kind: 'wait'; untilSeconds: number | undefined }
  | { kind: 'fail'; reason: string }
  | { kind: 'start'; settings: NodeSettings; alone: Alone | undefined };

/** What cassandra.yaml and cassandra-env.sh say to Cassandra, as far as the guard has a hand in it. */
export interface NodeSettings {
  readonly seeds: readonly string[];
  /** Whether it is to replace, at its first boot, a node that there never was: it starts only if it has joined before. */
  readonly refusesEmptyDisk: boolean;
}

/** What pre_run.sh notes for post_run.sh. */
export type Alone = 'founder' | 'member' | 'waited';

export type PreRun = { kind: 'wait'; untilSeconds: number | undefined } | { kind: 'pass'; alone: Alone | undefined };

const defaultWaitSeconds = 600;

export function decideBootstrap(input: BootstrapInput): BootstrapDecision {
  const { configMap } = input;
  let alone: Alone | undefined;
  if (configMap?.['pre_run.sh'] !== undefined) {
    const before = preRun(input);
    if (before.kind === 'wait') return before;
    alone = before.alone;
  }
  const chosen = run(input);
  if (chosen === undefined) return { kind: 'fail', reason: 'Temporary failure in name resolution' };
  if (configMap?.['post_run.sh'] === undefined) return { kind: 'start', settings: asChosen(chosen), alone };
  const settings = postRun(input, chosen, alone);
  if (!settings) return { kind: 'fail', reason: `cassandra.yaml names the seeds "${chosen}"` };
  return { kind: 'start', settings, alone };
}

/** One round of pre_run.sh. */
export function preRun({ configMap = {}, pod, clusterName, seeds, elapsedSeconds, ask }: BootstrapInput): PreRun {
  const closed = new Set(words(configMap['closed']).map(([name]) => name));
  if (closed.has(pod) || closed.has('*')) return { kind: 'wait', untilSeconds: undefined };
  const ignition = readPairs(configMap['ignition']);
  const joined = readPairs(configMap['joined']);
  const isMember = hasJoined(configMap, pod);
  const alone = isMember ? 'member' : undefined;
  if (ignition.has(pod)) return { kind: 'pass', alone: alone ?? 'founder' };
  if (isMember && joined.size === 1) return { kind: 'pass', alone };

  const joinedIds = new Set(words(configMap['joined']).map(([, hostId]) => hostId));
  const igniting = new Set(ignition.values());
  const isLive = (seed: string): boolean => {
    const answer = ask(seed);
    if (answer.kind !== 'cassandra' || answer.clusterName !== clusterName || clusterName === '') return false;
    if (answer.mode !== 'NORMAL') return false;
    if (!isMember && answer.hasJoining) return false;
    if (answer.hostId === '') return joined.size === 0 && igniting.has(seed);
    return joinedIds.has(answer.hostId) || (joined.size === 0 && igniting.has(seed));
  };
  if (seeds.split(/[, ]/).some((seed) => seed !== '' && isLive(seed))) return { kind: 'pass', alone: undefined };
  if (!isMember) return { kind: 'wait', untilSeconds: undefined };
  const untilSeconds = waitSeconds(configMap['guard_wait_seconds']);
  return elapsedSeconds >= untilSeconds ? { kind: 'pass', alone: 'waited' } : { kind: 'wait', untilSeconds };
}

/** CassKop 2.3.4's run.sh: the seeds in cassandra.yaml; undefined when it fails, which it does for one reason only. */
function run({ seeds, hostName, address, ask }: BootstrapInput): string | undefined {
  if (seeds === '') return address;
  for (const seed of listed(seeds)) {
    const { kind } = ask(seed);
    if (kind === 'resolverFails') return undefined;
    if (kind === 'open' || kind === 'cassandra') return seeds;
  }
  return hostName;
}

/** post_run.sh: what it leaves in Cassandra's files; undefined when it fails. */
export function postRun(
  { configMap = {}, pod, seeds, address }: Pick<BootstrapInput, 'configMap' | 'pod' | 'seeds' | 'address'>,
  chosen: string,
  alone: Alone | undefined,
): NodeSettings | undefined {
  if (seeds === '') return undefined;
  if (alone !== undefined) {
    const list = chosen === seeds || alone === 'founder' ? chosen : `${seeds},${address}`;
    return { ...asChosen(list), refusesEmptyDisk: alone === 'waited' };
  }
  if (chosen !== seeds) return undefined;
  if (hasJoined(configMap, pod)) return asChosen(chosen);
  const all = seeds.split(/[, ]+/).filter((seed) => seed !== '');
  const others = all.filter((seed) => !isItself(seed, pod, address));
  if (others.length === all.length) return asChosen(chosen);
  return others.length === 0 ? undefined : asChosen(others.join(','));
}

function asChosen(list: string): NodeSettings {
  return { seeds: listed(list), refusesEmptyDisk: false };
}

function isItself(seed: string, pod: string, address: string): boolean {
  const at = seed.indexOf(pod);
  return seed === address || (at >= 0 && !/^[0-9]/.test(seed.slice(at + pod.length)));
}

function hasJoined(configMap: Readonly<Record<string, string>>, pod: string): boolean {
  return (readPairs(configMap['joined']).get(pod) ?? '') !== '';
}

/** Of two lines with one name the later counts. */
function readPairs(text: string | undefined): Map<string, string> {
  return new Map(words(text).filter(([name]) => name !== ''));
}

/** The first two words of each line. */
function words(text = ''): [string, string][] {
  return text
    .replaceAll('\r', '')
    .split('\n')
    .map((line) => {
      const [name = '', value = ''] = line.split(/[ \t]+/).filter((word) => word !== '');
      return [name, value];
    });
}

function waitSeconds(text = ''): number {
  const digits = text.replaceAll(/\s/g, '');
  return /^[0-9]{1,9}$/.test(digits) ? Number(digits) : defaultWaitSeconds;
}

function listed(seeds: string): string[] {
  return seeds.split(',').filter((seed) => seed !== '');
}
