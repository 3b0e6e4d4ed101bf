import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readServiceAccountToken } from './service-account-token.ts';
import { tokenOf } from './testing-tokens.ts';

test('a token says whose it is, when it ends, and which Secret it is bound to', () => {
  const secret = { name: 'ringmaster-token-a1', uid: '65b90f66' };
  const token = tokenOf({ iat: 1_795_271_561, exp: 1_795_357_961, 'kubernetes.io': { namespace: 'n', secret } });
  assert.deepEqual(readServiceAccountToken(token), {
    namespace: 'ringmaster-system',
    name: 'ringmaster',
    issuedAtMs: 1_795_271_561_000,
    expiresAtMs: 1_795_357_961_000,
    boundSecret: secret,
  });
});

test('one that stands in a Secret of its own never ends', () => {
  assert.deepEqual(readServiceAccountToken(tokenOf({ iss: 'kubernetes/serviceaccount' })), {
    namespace: 'ringmaster-system',
    name: 'ringmaster',
  });
});

test('what is no token of a ServiceAccount is none, whatever it is', () => {
  const others = [
    '',
    'a',
    'a.b.c',
    'a.e30.c',
    tokenOf({ sub: 'jane' }),
    tokenOf({ sub: 'system:serviceaccount:../x:y' }),
  ];
  for (const each of others) assert.equal(readServiceAccountToken(each), undefined, each);
  fc.assert(fc.property(fc.string(), (text) => readServiceAccountToken(text) === undefined));
});
