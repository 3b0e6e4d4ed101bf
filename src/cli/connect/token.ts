import { type Clock, sleep } from '../../edges/clock.ts';
import type { Random } from '../../edges/random.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/errors.ts';
import { type KubeObject, resources } from '../../kube/objects.ts';
import { readServiceAccountToken } from '../../kube/service-account-token.ts';
import type { Output } from '../output.ts';
import { UsageError } from '../usage-error.ts';
import { anchor, type AnchorOwner, anchorSelector, isAnchorOf, type ServiceAccountRef } from './objects.ts';

/** A token, and the Secret in the region that it holds no longer than. */
export interface MadeToken {
  readonly token: string;
  readonly anchorName: string;
  /** Wall-clock milliseconds; undefined: never. */
  readonly expiresAtMs: number | undefined;
  /** Milliseconds that it lives; a cluster may grant less than was asked for. */
  readonly lifetimeMs: number | undefined;
}

export interface TokenWishes {
  readonly account: ServiceAccountRef;
  readonly owner: AnchorOwner;
  /** Seconds; undefined: one that never ends. */
  readonly lifetimeSeconds: number | undefined;
}

type Client = Pick<KubeClient, 'create' | 'createToken' | 'get'>;

const suffixLetters = 36 ** 6;
/** How often and how long apart a Secret is looked at until Kubernetes has put a token into it, milliseconds. */
const fillLooks = 50;
const fillEveryMs = 200;

/** Makes a token of the account, bound to an anchor of its own. @throws UsageError or KubeError */
export async function makeToken(
  client: Client,
  { account, owner, lifetimeSeconds }: TokenWishes,
  { clock, random }: { clock: Clock; random: Random },
  signal: AbortSignal,
): Promise<MadeToken> {
  const suffix = Math.floor(random.next() * suffixLetters)
    .toString(36)
    .padStart(6, '0');
  const made = await client.create(
    resources.secrets,
    anchor(account, suffix, owner, lifetimeSeconds === undefined),
    signal,
  );
  const { name: anchorName, uid = '' } = made.metadata;
  const token =
    lifetimeSeconds === undefined
      ? await untilFilled(client, made, clock, signal)
      : await client.createToken(
          account,
          { expirationSeconds: lifetimeSeconds, boundSecret: { name: anchorName, uid } },
          signal,
        );
  const { issuedAtMs, expiresAtMs } = readServiceAccountToken(token) ?? {};
  const lifetimeMs = issuedAtMs === undefined || expiresAtMs === undefined ? undefined : expiresAtMs - issuedAtMs;
  return { token, anchorName, expiresAtMs, lifetimeMs };
}

async function untilFilled(client: Client, made: KubeObject, clock: Clock, signal: AbortSignal): Promise<string> {
  const { namespace = '', name } = made.metadata;
  for (let look = 0; look < fillLooks; look++) {
    const { data } = (await client.get(resources.secrets, { namespace, name }, signal)) as {
      data?: { token?: string };
    };
    if (data?.token) return Buffer.from(data.token, 'base64').toString('utf8');
    await sleep(clock, fillEveryMs, signal);
  }
  throw new UsageError(
    `Secret ${namespace}/${name} got no token in ${(fillLooks * fillEveryMs) / 1000} s; clusters without the token controller need tokens that end: leave out --long-lived-token`,
  );
}

/** The anchors in the account's namespace: those of `owner`, and those of others. */
export async function findAnchors(
  client: Pick<KubeClient, 'list'>,
  namespace: string,
  owner: AnchorOwner,
  signal: AbortSignal,
): Promise<{ own: KubeObject[]; others: KubeObject[] }> {
  const { items } = await client.list(resources.secrets, { namespace, labelSelector: anchorSelector }, signal);
  return {
    own: items.filter((each) => isAnchorOf(each, owner)),
    others: items.filter((each) => !isAnchorOf(each, owner)),
  };
}

/** Deletes an object as it was seen. Resolves with false when it was gone. */
export async function remove(
  client: Pick<KubeClient, 'delete'>,
  resource: Parameters<KubeClient['delete']>[0],
  { metadata: { namespace, name, uid = '', resourceVersion = '' } }: KubeObject,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const ref = { name, ...(namespace !== undefined && { namespace }) };
    await client.delete(resource, ref, { uid, resourceVersion }, signal);
    return true;
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return false;
    throw error;
  }
}

/** Deletes all anchors of a registration but one: the tokens that are bound to them hold no longer. */
export async function revokeOthers(
  client: Pick<KubeClient, 'list' | 'delete'>,
  namespace: string,
  owner: AnchorOwner,
  kept: string,
  out: Output,
  signal: AbortSignal,
): Promise<void> {
  const { own } = await findAnchors(client, namespace, owner, signal);
  for (const each of own) {
    if (each.metadata.name === kept || !(await remove(client, resources.secrets, each, signal))) continue;
    out.write(`  revoked    the token of before (Secret ${namespace}/${each.metadata.name})\n`);
  }
}
