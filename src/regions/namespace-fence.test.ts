import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FakeTransport, jsonResponse } from '../edges/testing.ts';
import type { HttpRequest } from '../edges/transport.ts';
import { isKubeError } from '../kube/errors.ts';
import { NamespaceFence } from './namespace-fence.ts';

const forever = new AbortController().signal;

function fenced(problem?: string): { fence: NamespaceFence; inner: FakeTransport } {
  const inner = new FakeTransport(() => jsonResponse(200, {}));
  return { fence: new NamespaceFence(inner, 'orders', () => problem), inner };
}

async function passes(method: HttpRequest['method'], path: string, problem?: string): Promise<boolean> {
  const { fence, inner } = fenced(problem);
  try {
    await fence.send({ method, path }, forever);
  } catch (error) {
    assert.ok(isKubeError(error, 'Forbidden'), String(error));
    assert.equal(error.mayHaveActed, false);
    assert.equal(inner.sent.length, 0, 'nothing may be sent that is refused');
    return false;
  }
  return true;
}

test('what the controller asks of one namespace gets through', async () => {
  const reads = [
    '/readyz',
    '/version',
    '/api/v1/namespaces/kube-system',
    '/api/v1/namespaces/orders',
    '/api/v1/namespaces/orders/pods?limit=500&labelSelector=a%2Fb',
    '/api/v1/namespaces/orders/configmaps?watch=true',
    '/api/v1/namespaces/orders/pods/o-eu-rack1-0:8778/proxy/jolokia/read/org.apache.cassandra.db:type=StorageService/HostIdMap,OperationMode',
    '/apis/db.orange.com/v2/namespaces/orders/cassandraclusters/orders',
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/cassandraclusters.db.orange.com',
  ];
  for (const path of reads) assert.ok(await passes('GET', path), path);
  const member = '/apis/db.orange.com/v2/namespaces/orders/cassandraclusters/orders';
  assert.ok(await passes('PATCH', `${member}?fieldManager=ringmaster&force=true`));
  assert.ok(await passes('PATCH', `${member}/status`));
  assert.ok(await passes('DELETE', member));
});

test('nothing else does', async () => {
  const others = [
    '/api/v1/namespaces/billing/pods',
    '/api/v1/namespaces/kube-system/secrets',
    '/api/v1/namespaces/billing',
    '/api/v1/pods',
    '/api/v1/namespaces',
    '/api/v1/nodes',
    '/api/v1/watch/namespaces/orders/pods',
    '/apis/db.orange.com/v2/cassandraclusters',
    '/apis/db.orange.com/v2/namespaces/billing/cassandraclusters/orders',
    '/apis/rbac.authorization.k8s.io/v1/clusterroles/admin',
    '/api/v1/namespaces/orders/../billing/pods',
    '/api/v1/namespaces/orders/%2e%2e/billing/pods',
    '/api/v1/namespaces/orders%2F..%2Fbilling/pods',
    '/api/v1/namespaces/orders/pods/a%2F..%2F..%2Fbilling/proxy/',
    '/api/v1/namespaces/orders/pods/x:8778/proxy/../../../../billing/pods',
    '/api/v1/namespaces/orders/pods/x:8778/proxy/%2E%2E/%2e%2e/secrets',
    '/api/v1/namespaces/orders/pods/%zz',
    '/api/v1/namespaces/orders\\..\\billing/pods',
    '/api/v1/namespaces/ORDERS/pods',
    '/api/v1/namespaces//pods',
    '/api/v1/namespaces/orders/',
    '/api/v1/namespaces/*/pods',
    '/healthz?x=/api/v1/namespaces/orders/pods',
    '//api/v1/namespaces/orders/pods',
    '',
  ];
  for (const path of others) assert.equal(await passes('GET', path), false, path);
  for (const path of ['/readyz', '/api/v1/namespaces/orders', '/api/v1/namespaces/kube-system'])
    for (const method of ['PATCH', 'DELETE', 'POST', 'PUT'] as const)
      assert.equal(await passes(method, path), false, `${method} ${path}`);
});

test('no path built of any pieces leads to another namespace', async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'api',
      'apis',
      'v1',
      'namespaces',
      'orders',
      'billing',
      'pods',
      '..',
      '.',
      '%2e%2e',
      '%2f',
      'proxy',
      '',
    ),
    fc.string({ maxLength: 5 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 10 }), async (pieces) => {
      const path = `/${pieces.join('/')}`;
      if (!(await passes('PATCH', path))) return;
      const read = new URL(path.split(/[?#]/)[0] ?? '', 'https://region.example').pathname;
      assert.match(read, /^\/(?:api\/[^/]+|apis\/[^/]*\/[^/]*)\/namespaces\/orders\/[^/]/, path);
    }),
    { numRuns: 2_000 },
  );
});

test('once the registration does not allow it any more, nothing gets through at all', async () => {
  assert.equal(await passes('GET', '/readyz', 'it is for others now'), false);
  assert.equal(await passes('GET', '/api/v1/namespaces/orders/pods', 'it is for others now'), false);
});
