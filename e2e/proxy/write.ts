/** A request by which a controller changes something: POST, PUT, PATCH or DELETE, or what makes a node leave the ring. */
export interface Write {
  /** 1 for the controller's first write, counted over all its regions in the order in which they arrive. */
  readonly number: number;
  readonly region: string;
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  /** Resource and subresource, such as `configmaps` or `cassandraclusters/status`; `pods/proxy/decommission` for what a node is told. */
  readonly resource: string;
  readonly body: string;
}

/** `drop` closes the connection to the controller without an answer. */
export type Verdict = 'drop' | undefined;

/**
 * Called for every write; each may take its time, and `signal` aborts when the controller no longer waits for it. What
 * a hook throws is thrown as an uncaught exception.
 */
export interface WriteHooks {
  /** The write has arrived, and the server knows nothing of it yet; dropped here, it never will. */
  arrived?(write: Write, signal: AbortSignal): Promise<Verdict> | Verdict;
  /** The server has answered with `status`, the controller waits; dropped here, the reply is lost. */
  answered?(write: Write, status: number, signal: AbortSignal): Promise<Verdict> | Verdict;
  /** The reply is on its way to the controller. */
  replied?(write: Write, status: number): Promise<void> | void;
}

/** All hooks of a controller as its proxies call them, and the number that the next write gets. */
export interface WriteSequence {
  number(write: Omit<Write, 'number'>): Write;
  arrived(write: Write, signal: AbortSignal): Promise<Verdict>;
  answered(write: Write, status: number, signal: AbortSignal): Promise<Verdict>;
  replied(write: Write, status: number): Promise<void>;
}

/** Of a proxy that does nothing to writes. */
export const untouchedWrites: WriteSequence = {
  number: (write) => ({ ...write, number: 0 }),
  arrived: () => Promise.resolve(undefined),
  answered: () => Promise.resolve(undefined),
  replied: () => Promise.resolve(),
};

const writingMethods: readonly string[] = ['POST', 'PUT', 'PATCH', 'DELETE'];

/** Whether a request changes something. Jolokia calls operations by GET, so it takes a look at which one it is. */
export function isWrite(method: string, path: string): boolean {
  return writingMethods.includes(method) || orderIn(path) !== undefined;
}

/** What a node is told to do with the ring by a request through pods/proxy; undefined: nothing. */
function orderIn(path: string): string | undefined {
  return /\/pods\/[^/]+\/proxy\/jolokia\/exec\/[^/]+\/(decommission|removeNode)\b/.exec(path)?.[1];
}

/** Reads resource and subresource from a path of the Kubernetes API. */
export function resourceOf(path: string): string {
  const order = orderIn(path);
  if (order !== undefined) return `pods/proxy/${order}`;
  // /api/v1/... or /apis/group/version/..., then `namespaces/x` for what lives in one, then resource/name/subresource.
  const parts = path.split('/').slice(path.startsWith('/apis/') ? 4 : 3);
  const [resource = '', , subresource] = parts[0] === 'namespaces' && parts.length > 2 ? parts.slice(2) : parts;
  return subresource === undefined ? resource : `${resource}/${subresource}`;
}

/** A write in words, for messages: `7: PATCH cassandraclusters/status in us`. */
export function describeWrite({ number, method, resource, region }: Write): string {
  return `${number}: ${method} ${resource} in ${region}`;
}
