import { type Clock, withDeadline } from '../edges/clock.ts';
import type { KubeClient, ObjectRef } from '../kube/client.ts';
import { KubeError } from '../kube/errors.ts';
import { type KubeObject, resources, type ResourceType } from '../kube/objects.ts';
import { NodeUnreadableError, orderNode } from '../ring/jolokia.ts';
import type { Intent, Write } from './intents.ts';
import { type CqlAccess, runCql } from './run-cql.ts';

/** What became of one intent. */
export interface Outcome {
  readonly intent: Intent;
  /** Undefined: it was done. */
  readonly error: KubeError | undefined;
}

export interface ExecuteOptions {
  client(region: string): KubeClient;
  /** Called with the object as a write left it: nothing may be planned for that region before its cache has it. */
  seen(region: string, resource: ResourceType, object: KubeObject): void;
  /**
   * Called when the cache has to learn what the server holds now: the object was deleted, the answer was lost, or the precondition failed because the
   * cache is older than the server. Nothing may be planned for that region before the server itself has been asked.
   */
  doubt(region: string, resource: ResourceType, ref: ObjectRef): void;
  readonly clock: Clock;
  /** Called before each request; throws to forbid it. */
  permit?(intent: Intent): void;
  /** For intents that alter keyspaces. */
  readonly cql?: CqlAccess;
  /** Asked before each request: the plan is not gone on with once it is. */
  isOutdated?(): boolean;
}

/**
 * Sends the intents: one request each, in order within a region, regions side by side. A failed intent ends its region's
 * turn; the others go on. Repeats nothing: the next plan, made from what is there by then, does.
 * @throws the signal's reason when it aborts.
 */
export async function execute(
  intents: readonly Intent[],
  options: ExecuteOptions,
  signal: AbortSignal,
): Promise<Outcome[]> {
  const byRegion = Map.groupBy(intents, (intent) => intent.region);
  const outcomes = await Promise.all(
    [...byRegion.values()].map(async (turn) => {
      const done: Outcome[] = [];
      for (const intent of turn) {
        if (options.isOutdated?.()) break;
        const outcome = await perform(intent, options, signal);
        done.push(outcome);
        if (outcome.error) break;
      }
      return done;
    }),
  );
  return outcomes.flat();
}

async function perform(intent: Intent, options: ExecuteOptions, signal: AbortSignal): Promise<Outcome> {
  const { region, write } = intent;
  const client = options.client(region);
  try {
    options.permit?.(intent);
    if (write.verb === 'cql') {
      if (!options.cql) throw new TypeError('an intent to alter keyspaces needs access by CQL');
      await runCql(write, options.cql, options.clock, signal);
      return { intent, error: undefined };
    }
    const left = await send(client, write, options.clock, signal);
    if (left) options.seen(region, write.resource, left);
    if (!left) options.doubt(region, write.resource, refOf(write));
    return { intent, error: undefined };
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    if (write.verb === 'cql') return { intent, error };
    if (write.verb === 'delete' && error.code === 'NotFound') {
      options.doubt(region, write.resource, refOf(write));
      return { intent, error: undefined };
    }
    if (error.status === 409 || error.status === 422 || error.mayHaveActed) {
      options.doubt(region, write.resource, refOf(write));
    }
    return { intent, error: withoutData(error, write) };
  }
}

function refOf(write: Write): ObjectRef {
  const { namespace, name } = 'ref' in write ? write.ref : write.object.metadata;
  return { name, ...(namespace !== undefined && { namespace }) };
}

/** What refuses a Secret may quote it, and what is refused is told in logs and in the status. */
function withoutData(error: KubeError, write: Write): KubeError {
  if (write.resource.plural !== resources.secrets.plural) return error;
  const data = 'object' in write ? ((write.object['data'] ?? {}) as Record<string, string>) : {};
  const words = Object.values(data).flatMap((each) => [each, Buffer.from(each, 'base64').toString()]);
  if (!words.some((each) => each !== '' && error.message.includes(each))) return error;
  const { code, status, reason, retryAfterMs, mayHaveActed } = error;
  return new KubeError(code, `${status ?? ''} ${reason}: what was answered quotes the Secret, and is left out here`, {
    reason,
    mayHaveActed,
    ...(status !== undefined && { status }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** Resolves with the object as it is now; without one when it was deleted. */
function send(
  client: KubeClient,
  write: Exclude<Write, { verb: 'cql' }>,
  clock: Clock,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  switch (write.verb) {
    case 'create':
      return client.apply(write.resource, withVersion(write.object, '1'), signal);
    case 'update':
      return client.apply(write.resource, write.object, signal);
    case 'patchStatus':
      return client.patchStatus(write.resource, write.ref, write.resourceVersion, { ...write.status }, signal);
    case 'delete': {
      const { uid, resourceVersion } = write;
      return client.delete(write.resource, write.ref, { uid, resourceVersion }, signal);
    }
    case 'order':
      return tell(client, write, clock, signal);
    case 'removeFields':
      return client.jsonPatch(
        write.resource,
        write.ref,
        [
          { op: 'test', path: '/metadata/uid', value: write.uid },
          { op: 'test', path: '/metadata/resourceVersion', value: write.resourceVersion },
          ...write.paths.map((path) => ({ op: 'remove' as const, path })),
          ...Object.entries(write.annotations ?? {}).map(([name, value]) => ({
            op: 'add' as const,
            path: `/metadata/annotations/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
            value,
          })),
        ],
        signal,
      );
    case 'label':
      return client.jsonPatch(
        write.resource,
        write.ref,
        [
          { op: 'test', path: '/metadata/uid', value: write.uid },
          { op: 'test', path: '/metadata/resourceVersion', value: write.resourceVersion },
          { op: 'add', path: '/metadata/labels', value: write.labels },
          { op: 'add', path: '/metadata/annotations', value: write.annotations },
        ],
        signal,
      );
  }
}

/** How long a node is listened to that was told to leave, milliseconds: what it refuses it refuses at once, and the rest its view of the ring tells. */
const orderPatienceMs = 5_000;

async function tell(
  client: KubeClient,
  { ref: { name: pod, namespace = '' }, hostId, order }: Extract<Write, { verb: 'order' }>,
  clock: Clock,
  signal: AbortSignal,
): Promise<undefined> {
  let isSent = false;
  const onSent = (): void => {
    isSent = true;
  };
  using deadline = withDeadline(clock, orderPatienceMs, signal);
  try {
    await orderNode(client, { namespace, pod, hostId }, order, onSent, deadline.signal);
  } catch (error) {
    signal.throwIfAborted();
    if (deadline.signal.aborted && isSent) return;
    if (error instanceof NodeUnreadableError) {
      // That it is not the node it was taken for is a race that was lost; what it answers to the order is a refusal.
      const [code, status] = isSent ? (['Invalid', 422] as const) : (['Conflict', 409] as const);
      throw new KubeError(code, error.message, { status, reason: 'NodeRefuses', cause: error });
    }
    throw error;
  }
}

/** Server-side apply with a resourceVersion no object can have: 201 if there is none, 409 if there is one. */
function withVersion(object: KubeObject, resourceVersion: string): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion } };
}
