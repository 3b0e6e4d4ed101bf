import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../edges/testing.ts';
import type { JsonPatchOperation, KubeClient, TokenWish } from '../kube/client.ts';
import { KubeError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import { readServiceAccountToken } from '../kube/service-account-token.ts';
import { tokenOf } from '../kube/testing-tokens.ts';
import { kubeconfigWith, tokenIn } from '../regions/kubeconfig-token.ts';
import type { RegionHandle } from '../regions/region-handle.ts';
import { listening } from '../regions/testing.ts';
import type { Leadership, Term } from './leadership.ts';
import { TokenRenewal } from './token-renewal.ts';

const hour = 3_600_000;
const secretRef = { namespace: 'ringmaster-system', name: 'us' };
const boundSecret = { name: 'ringmaster-token-a', uid: 'u' };

/** A region whose token of a day is renewed after eight hours, and the hub that it is registered in. */
class Bench {
  readonly clock = new VirtualClock();
  readonly events: string[] = [];
  readonly wishes: TokenWish[] = [];
  readonly renewal: TokenRenewal;
  readonly #start = this.clock.now();
  term: Term | undefined = { transitions: 1, signal: new AbortController().signal };
  refusal: Error | undefined;
  token = this.#tokenOf(0, 24);
  version = 1;

  constructor() {
    const leadership: Pick<Leadership, 'term' | 'onTerm'> = { term: this.term, onTerm: () => undefined };
    Object.defineProperty(leadership, 'term', { get: () => this.term });
    const hub: Pick<KubeClient, 'get' | 'jsonPatch'> = {
      get: () => Promise.resolve(this.secret),
      jsonPatch: (_resource, ref, operations) => {
        assert.deepEqual(ref, secretRef);
        return Promise.resolve(this.#patch(operations));
      },
    };
    this.renewal = new TokenRenewal({
      regions: {
        hub: { client: hub } as RegionHandle,
        names: () => ['us'],
        get: () => this.handle,
        onChange: () => undefined,
      },
      leadership,
      clock: this.clock,
      logger: listening(),
      onEvent: (region, event) => this.events.push(`${region} ${event}`),
    });
  }

  get secret(): KubeObject {
    const data = { kubeconfig: Buffer.from(this.kubeconfig).toString('base64') };
    return { metadata: { ...secretRef, uid: 's', resourceVersion: String(this.version) }, data };
  }

  get kubeconfig(): string {
    return kubeconfigWith('us', { server: 'https://us', authority: 'CA' }, this.token);
  }

  /** The region as it is reached by what stands in the Secret. */
  get handle(): RegionHandle {
    const claims = readServiceAccountToken(this.token);
    assert.ok(claims?.expiresAtMs !== undefined && claims.issuedAtMs !== undefined);
    const client: Pick<KubeClient, 'createToken'> = {
      createToken: (ref, wish) => {
        assert.deepEqual(ref, { namespace: 'ringmaster-system', name: 'ringmaster' });
        this.wishes.push(wish);
        if (this.refusal) return Promise.reject(this.refusal);
        return Promise.resolve(this.#tokenOf((this.clock.now() - this.#start) / hour, wish.expirationSeconds / 3600));
      },
    };
    return {
      name: 'us',
      client,
      life: { fromMs: claims.issuedAtMs, untilMs: claims.expiresAtMs },
      renewal: { secret: secretRef, claims, afterMs: 8 * hour },
    } as RegionHandle;
  }

  async whileRunning(work: () => Promise<void>): Promise<void> {
    const stop = new AbortController();
    const running = this.renewal.run(stop.signal);
    try {
      await work();
    } finally {
      stop.abort();
      await running;
      assert.equal(this.clock.pendingTimers, 0);
    }
  }

  #tokenOf(atHour: number, lifeHours: number): string {
    const iat = Math.floor((this.#start + atHour * hour) / 1000);
    return tokenOf({ iat, exp: iat + lifeHours * 3600, 'kubernetes.io': { secret: boundSecret } });
  }

  #patch(operations: JsonPatchOperation[]): KubeObject {
    const [uid, version, replace] = operations;
    assert.deepEqual([uid?.value, version?.value, replace?.path], ['s', String(this.version), '/data/kubeconfig']);
    const text = Buffer.from(String(replace?.value), 'base64').toString();
    this.token = tokenIn(text, 'test') ?? '';
    assert.equal(text, this.kubeconfig, 'nothing but the token is another');
    this.version++;
    return this.secret;
  }
}

test('a token is renewed when it is due, by one that lives as long and is bound to the same Secret', async () => {
  const bench = new Bench();
  await bench.whileRunning(async () => {
    await bench.clock.advance(7.9 * hour);
    assert.deepEqual(bench.events, []);
    await bench.clock.advance(0.2 * hour);
    assert.deepEqual(bench.events, ['us renewed']);
    assert.deepEqual(bench.wishes, [{ expirationSeconds: 24 * 3600, boundSecret }]);
    await bench.clock.advance(7.7 * hour);
    assert.equal(bench.wishes.length, 1);
    await bench.clock.advance(80 * hour);
    assert.equal(bench.wishes.length, 11);
    assert.equal(bench.renewal.endOf(bench.handle), undefined);
  });
});

test('a process that does not lead renews nothing, until it does', async () => {
  const bench = new Bench();
  const { term } = bench;
  bench.term = undefined;
  await bench.whileRunning(async () => {
    await bench.clock.advance(20 * hour);
    assert.equal(bench.wishes.length, 0);
    bench.term = term;
    await bench.clock.advance(60_000);
    assert.deepEqual(bench.events, ['us renewed']);
  });
});

test('what is refused is tried again ever more slowly, and its end is told when it is near', async () => {
  const bench = new Bench();
  bench.refusal = new KubeError('Forbidden', 'POST token: 403 Forbidden');
  await bench.whileRunning(async () => {
    await bench.clock.advance(9 * hour);
    const tries = bench.wishes.length;
    assert.ok(tries >= 5 && tries <= 9, `${tries} tries in an hour`);
    assert.equal(bench.renewal.endOf(bench.handle), undefined, 'there is time left to try');
    await bench.clock.advance(9.5 * hour);
    const sentence = /^its credentials end at 2026-01-02T00:00:00.000Z, and could not be renewed: POST token: 403/;
    assert.match(bench.renewal.endOf(bench.handle) ?? '', sentence);
    bench.refusal = undefined;
    await bench.clock.advance(0.3 * hour);
    assert.equal(bench.events.at(-1), 'us renewed');
    assert.equal(bench.renewal.endOf(bench.handle), undefined);
  });
});

test('a token that a person has registered meanwhile is left alone', async () => {
  const bench = new Bench();
  const { handle } = bench;
  Object.defineProperty(bench, 'handle', { get: () => handle });
  bench.token = tokenOf({ iat: 1, exp: 2 });
  await bench.whileRunning(async () => {
    await bench.clock.advance(20 * hour);
    assert.deepEqual([bench.wishes, bench.events], [[], []]);
  });
});

test('of credentials that nobody renews it is told that they end', async () => {
  const bench = new Bench();
  const { renewal: _, ...rest } = bench.handle;
  const handle = { ...rest, renewal: undefined } as RegionHandle;
  assert.equal(bench.renewal.endOf(handle), undefined);
  await bench.clock.advance(19 * hour);
  assert.match(bench.renewal.endOf(handle) ?? '', /not renewed by themselves: .* ringmaster rotate us$/);
});
