import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentialLife, endsSoon } from './credential-life.ts';
import { tokenOf } from './testing-tokens.ts';

const day = 86_400_000;
/** Self-signed, for 2026; its key is nobody's. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBFzCBvqADAgECAhAdE1gj9i6/m+Af922JOh7uMAoGCCqGSM49BAMCMAwxCjAI
BgNVBAMTAXIwHhcNMjYwMTAxMDAwMDAwWhcNMjYxMjMxMDAwMDAwWjAMMQowCAYD
VQQDEwFyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEAV1x8wvDcDJtPN3BwPv0
u09sPyqJwdz9p/it9xAiAxZy9vd7gScVQiSsh/2Y5WMOVgSvcAwvphnRs+SPvPip
dKMCMAAwCgYIKoZIzj0EAwIDSAAwRQIgEeCAuQksM6FlLC3lgzFC2wo/HQiHJ2xj
5ckmuDW+iO0CIQDd92a5Pos84oS/T9Dc9c/fig5tfjVKkonIvAGo0nX9EA==
-----END CERTIFICATE-----`;

test('a token lives from its making to its end; a password and a token that says nothing do not say', () => {
  const token = tokenOf({ iat: 1_000, exp: 2_000 });
  assert.deepEqual(credentialLife({ token }), { fromMs: 1_000_000, untilMs: 2_000_000 });
  for (const user of [{}, { token: 'abc' }, { token: tokenOf({}) }, { username: 'a', password: 'b' }]) {
    assert.equal(credentialLife(user), undefined);
  }
});

test('a client certificate that stands in the kubeconfig ends when it says; what is none is passed over', () => {
  assert.deepEqual(credentialLife({ 'client-certificate-data': Buffer.from(certificate).toString('base64') }), {
    fromMs: Date.parse('2026-01-01T00:00:00Z'),
    untilMs: Date.parse('2026-12-31T00:00:00Z'),
  });
  assert.equal(credentialLife({ 'client-certificate-data': 'bm90aGluZw==' }), undefined);
});

test('the end is near a week before, or in the last quarter of a short life', () => {
  const long = { fromMs: 0, untilMs: 90 * day };
  assert.deepEqual(
    [82, 84].map((at) => endsSoon(long, at * day)),
    [false, true],
  );
  const short = { fromMs: 0, untilMs: day };
  assert.deepEqual(
    [0.7, 0.8, 2].map((at) => endsSoon(short, at * day)),
    [false, true, true],
  );
});
