import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../edges/testing.ts';
import type { KubeClient } from '../kube/client.ts';
import { KubeError } from '../kube/errors.ts';
import { resources } from '../kube/objects.ts';
import { execute, type Outcome } from './execute.ts';
import type { Write } from './intents.ts';

const never = new AbortController().signal;
const ref = { namespace: 'cassandra', name: 'registry' };
const data = { password: Buffer.from('correct-horse').toString('base64') };
const create: Write = { verb: 'create', resource: resources.secrets, object: { metadata: ref, data } };
const remove: Write = { verb: 'delete', resource: resources.secrets, ref, uid: 'u', resourceVersion: '1' };

async function send(write: Write, client: Partial<KubeClient>): Promise<{ outcomes: Outcome[]; doubted: string[] }> {
  const doubted: string[] = [];
  const outcomes = await execute(
    [{ region: 'eu', why: 'test', write }],
    {
      client: () => client as KubeClient,
      clock: new VirtualClock(),
      seen: () => undefined,
      doubt: (_region, _resource, { name }) => doubted.push(name),
    },
    never,
  );
  return { outcomes, doubted };
}

test('what an API server answers to a Secret is passed on without what is in it, as it stands there and in plain words', async () => {
  for (const quoted of [data.password, 'correct-horse']) {
    const refusal = new KubeError('Invalid', `denied: ${quoted} is too weak`, { status: 422, reason: 'Invalid' });
    const { outcomes } = await send(create, { apply: () => Promise.reject(refusal) });
    assert.equal(outcomes[0]?.error?.status, 422);
    assert.match(outcomes[0].error.message, /422 Invalid: what was answered quotes the Secret/);
    assert.ok(!JSON.stringify(outcomes[0].error).includes(quoted));
  }
  const forbidden = new KubeError('Forbidden', 'secrets are forbidden', { status: 403 });
  const { outcomes } = await send(create, { apply: () => Promise.reject(forbidden) });
  assert.equal(outcomes[0]?.error, forbidden);
});

test('an object that was deleted, by us or by somebody else before, has to leave the cache before anything else is planned', async () => {
  const gone = new KubeError('NotFound', 'not found', { status: 404 });
  for (const answer of [() => Promise.resolve(undefined), () => Promise.reject(gone)]) {
    const { outcomes, doubted } = await send(remove, { delete: answer });
    assert.equal(outcomes[0]?.error, undefined);
    assert.deepEqual(doubted, ['registry']);
  }
});
