import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { defaultTenancy, openTenancy, parseAllow, parseNamespaces, type Tenancy, tenancyProblem } from './tenancy.ts';

test('lists of namespaces are read, and what no namespace can be called is refused by name', () => {
  assert.equal(parseNamespaces('*'), 'all');
  assert.deepEqual(parseNamespaces(' a, b-1 ,'), new Set(['a', 'b-1']));
  assert.deepEqual(parseNamespaces(''), new Set());
  for (const wrong of ['A', 'a/b', '..', 'a,*', 'a b', '-a', 'x'.repeat(64)]) {
    assert.throws(() => parseNamespaces(wrong), /is no name of a namespace/, wrong);
  }
});

test('a rule names a context, which may have = and / in it, and one or two lists', () => {
  assert.deepEqual(parseAllow('eu=a,b'), {
    name: 'eu',
    tenancy: { hubNamespaces: new Set(['a', 'b']), regionNamespaces: 'own' },
  });
  assert.deepEqual(parseAllow('arn:aws:eks/x=y=*/c'), {
    name: 'arn:aws:eks/x=y',
    tenancy: { hubNamespaces: 'all', regionNamespaces: new Set(['c']) },
  });
  for (const wrong of ['eu', '=a', 'eu=a/b/c']) assert.throws(() => parseAllow(wrong), /is not NAME=/, wrong);
});

test('without a word from the registration, each hub namespace has the namespace of its own name', () => {
  assert.equal(tenancyProblem(defaultTenancy, 'eu', 'orders', 'orders'), undefined);
  assert.match(tenancyProblem(defaultTenancy, 'eu', 'orders', 'billing') ?? '', /"billing" of eu .*orders/);
});

test('a hub namespace that is not listed may use nothing, not even its own namespace', () => {
  const tenancy: Tenancy = { hubNamespaces: new Set(['orders']), regionNamespaces: 'all' };
  assert.equal(tenancyProblem(tenancy, 'eu', 'orders', 'anything'), undefined);
  assert.match(tenancyProblem(tenancy, 'eu', 'billing', 'billing') ?? '', /namespace "billing" of the hub/);
});

test('no name that a namespace cannot have gets through, not even where all are allowed', () => {
  const tricks = ['a/b', '..', '.', 'A', '', '*', 'a%2fb', 'a?b', 'a#b', 'a\\b', ' a', 'a\n', 'all', 'own'];
  for (const trick of tricks.filter((each) => !/^[a-z]+$/.test(each))) {
    assert.notEqual(tenancyProblem(openTenancy, 'eu', 'orders', trick), undefined, trick);
    assert.notEqual(tenancyProblem(openTenancy, 'eu', trick, 'orders'), undefined, trick);
    assert.notEqual(tenancyProblem(defaultTenancy, 'eu', trick, trick), undefined, trick);
  }
  const closed: Tenancy = { hubNamespaces: new Set(['orders']), regionNamespaces: new Set(['orders']) };
  fc.assert(
    fc.property(fc.string(), fc.string(), (hub, region) => {
      const isAllowed = tenancyProblem(closed, 'eu', hub, region) === undefined;
      assert.equal(isAllowed, hub === 'orders' && region === 'orders');
    }),
  );
});
