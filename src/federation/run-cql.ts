import { type Clock, withDeadline } from '../edges/clock.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError, KubeError } from '../kube/errors.ts';
import { type KubeObject, resources } from '../kube/objects.ts';
import { CqlError, type CqlErrorCode, type CqlLogin, type CqlSession, type OpenCql } from '../ring/cql.ts';
import {
  type Alteration,
  isAltered,
  isReplicatedSo,
  losesNothing,
  replicasIn,
  replicatedSystemKeyspaces,
  statementOf,
} from '../ring/keyspaces.ts';
import type { Contact, Write } from './intents.ts';

/** What altering keyspaces needs beside a region's client. */
export interface CqlAccess {
  readonly open: OpenCql;
  /** Holds the Secret. */
  readonly hub: Pick<KubeClient, 'get'>;
  /** As for every write: throws, and its signal aborts, when this process does not lead (kube/fence.ts). */
  permit(): AbortSignal;
  /** Called when keyspaces are perhaps not replicated any more as they were read. Must not wait. */
  altered(): void;
}

type Order = Extract<Write, { verb: 'cql' }>;

/** How long it may take in all, milliseconds: the region counts as unknown meanwhile. What is left is done the next time. */
const patienceMs = 20_000;

/**
 * Alters keyspaces. Each is looked at right before: one that is as asked for already is passed over, and nothing is done once one is neither as it was nor as it
 * is to be, or rows could be lost by it with the datacenters that the node knows.
 * @throws KubeError whose message names the field and says what to do; the signal's reason
 */
export async function runCql(order: Order, access: CqlAccess, clock: Clock, signal: AbortSignal): Promise<void> {
  using deadline = withDeadline(clock, patienceMs, AbortSignal.any([signal, access.permit()]));
  try {
    const login = await readLogin(order, access.hub, deadline.signal);
    const failed: Failure[] = [];
    for (const contact of order.contacts) {
      const error = await tryWith(contact, order, access, login, deadline.signal);
      if (!error) return;
      failed.push({ contact, error });
    }
    throw refusal(order, failed);
  } catch (error) {
    signal.throwIfAborted();
    // Of the process that leads no more, with its own words.
    access.permit();
    if (!deadline.signal.aborted) throw error;
    throw new KubeError('Timeout', `${order.ref.name} has not altered the keyspaces within ${patienceMs / 1000} s`, {
      mayHaveActed: true,
    });
  }
}

interface Failure {
  readonly contact: Contact;
  readonly error: CqlError;
}

/** Resolves with what the node did not do. Another one may: it knows the role, where this one cannot look it up. */
async function tryWith(
  { address }: Contact,
  order: Order,
  access: CqlAccess,
  login: CqlLogin,
  signal: AbortSignal,
): Promise<CqlError | undefined> {
  let session: CqlSession | undefined;
  try {
    session = await access.open({ address, port: order.login.port }, login, signal);
    await alterAll(order, session, access);
    return undefined;
  } catch (error) {
    if (error instanceof CqlError) return error;
    throw error;
  } finally {
    await session?.close();
  }
}

async function alterAll({ alterations }: Order, session: CqlSession, access: CqlAccess): Promise<void> {
  const withNodes = await session.datacenters();
  // Whoever asks a replica that has just become one finds no role there. Who died in between left others to alter, and comes here again.
  const isRoles = ({ keyspace }: Alteration): boolean => keyspace === 'system_auth';
  const adds = alterations.some(({ was, to }) => to.some(([name]) => replicasIn(was, name) === 0));
  for (const alteration of alterations.filter(isRoles)) await alter(alteration, session, withNodes, access);
  if (adds) await session.readEverywhere('system_auth');
  for (const alteration of alterations.filter((each) => !isRoles(each))) {
    await alter(alteration, session, withNodes, access);
  }
}

async function alter(
  alteration: Alteration,
  session: CqlSession,
  withNodes: ReadonlySet<string>,
  access: CqlAccess,
): Promise<void> {
  const { keyspace, was } = alteration;
  const now = await session.replication(keyspace);
  if (now && isAltered(alteration, now)) {
    access.altered();
    return;
  }
  if (!now || !isReplicatedSo(was, now)) {
    access.altered();
    throw new KubeError('Conflict', `keyspace ${keyspace} is not replicated any more as it was: ${was}`);
  }
  if (!losesNothing(alteration, withNodes)) {
    throw new CqlError(
      'Refused',
      `it knows nodes in ${[...withNodes].join(', ')}, and rows could be lost by ${statementOf(alteration)}`,
    );
  }
  access.permit();
  const isAgreed = await session.alter(statementOf(alteration)).finally(() => access.altered());
  if (isAgreed) return;
  throw new KubeError(
    'ServerError',
    `not all nodes have the new schema of keyspace ${keyspace} yet. If that lasts, nodetool describecluster names them`,
    { mayHaveActed: true },
  );
}

/** Username and password as the Secret holds them now. */
async function readLogin(
  { login: { namespace, secret } }: Order,
  hub: Pick<KubeClient, 'get'>,
  signal: AbortSignal,
): Promise<CqlLogin> {
  const field = 'spec.cql.secretRef.name';
  let object: KubeObject;
  try {
    object = await hub.get(resources.secrets, { namespace, name: secret }, signal);
  } catch (error) {
    if (isKubeError(error, 'NotFound')) {
      throw failure(
        `${field}: there is no Secret ${secret} in namespace ${namespace} of the hub. Make it: kubectl create secret generic ${secret} -n ${namespace} ` +
          '--from-literal=username=ROLE --from-file=password=FILE',
        error,
      );
    }
    if (isKubeError(error, 'Forbidden')) {
      const grant = `ringmaster rbac hub --namespace ${namespace} | kubectl apply -f -`;
      throw failure(`${field}: Secret ${namespace}/${secret} of the hub may not be read: ${grant}`, error);
    }
    throw error;
  }
  const data = (object['data'] ?? {}) as Readonly<Record<string, string>>;
  const valueOf = (key: 'username' | 'password'): string => {
    const value = Buffer.from(data[key] ?? '', 'base64').toString();
    if (value !== '') return value;
    throw failure(
      `${field}: Secret ${secret} in namespace ${namespace} of the hub lacks the key ${key}. Add it: kubectl edit secret ${secret} -n ${namespace}, stringData.${key}`,
    );
  };
  return { username: valueOf('username'), password: valueOf('password') };
}

/** What is said of several nodes: what a person can mend most easily. */
const byWeight: readonly CqlErrorCode[] = ['BadLogin', 'Unauthorized', 'Refused', 'Unreachable'];

/** To Cassandra 5 all keyspaces are all but those of the system. */
const grants = [
  'ALTER ON ALL KEYSPACES',
  ...replicatedSystemKeyspaces.map((each) => `ALTER ON KEYSPACE ${each}`),
  'SELECT ON KEYSPACE system_auth',
]
  .map((each) => `GRANT ${each} TO role;`)
  .join(' ');

/** What a person does about what nodes answer. */
function refusal({ login: { namespace, secret, port } }: Order, failed: readonly Failure[]): KubeError {
  const [first] = failed.toSorted(
    (one, other) => byWeight.indexOf(one.error.code) - byWeight.indexOf(other.error.code),
  );
  if (!first) return failure('no node can be asked');
  const { error } = first;
  const field = 'spec.cql.secretRef';
  const where = `Secret ${secret} in namespace ${namespace} of the hub`;
  switch (error.code) {
    case 'BadLogin':
      return failure(
        `${field}: Cassandra does not accept username and password of ${where}. Correct them: kubectl edit secret ${secret} -n ${namespace}; or the role: ALTER ROLE`,
        error,
      );
    case 'Unauthorized':
      return failure(
        `${field}: Cassandra does not let the role of ${where} do that (${error.message}). Run: ${grants}`,
        error,
      );
    case 'Unreachable':
      return failure(
        `spec.cql.port: no node answers CQL at port ${port}: ${failed.map(({ contact: { pod, address }, error: { message } }) => `${pod} at ${address} (${message})`).join(', ')}. Let Ringmaster's pod reach that port of these nodes, or correct the port`,
        error,
      );
    case 'Refused':
      return failure(`${first.contact.pod} refuses it: ${error.message}`, error);
  }
}

function failure(message: string, cause?: unknown): KubeError {
  return new KubeError('Invalid', message, { status: 422, reason: 'CqlFailed', cause });
}
