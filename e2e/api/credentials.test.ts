import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { systemClock } from '../../src/edges/clock.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { loadContexts } from '../../src/kube/contexts.ts';
import { KubeError } from '../../src/kube/errors.ts';
import { createKubeClient } from '../../src/kube/http-client.ts';
import { resources } from '../../src/kube/objects.ts';
import { UndiciTransport } from '../../src/kube/undici-transport.ts';
import { makeCertificates } from '../harness/certificates.ts';
import { startLoneApiServer, type LoneApiServer } from './server.ts';

const signal = new AbortController().signal;
const transports: UndiciTransport[] = [];
let server: LoneApiServer;
let admin = '';
let files = 0;

before(async () => {
  server = await startLoneApiServer();
  const config = parse(readFileSync(server.kubeconfig, 'utf8')) as {
    users: { name: string; user: { token: string } }[];
  };
  admin = config.users.find((each) => each.name === 'admin')?.user.token ?? '';
  assert.notEqual(admin, '');
});
after(async () => {
  await Promise.all(transports.map((each) => each.close()));
  await server?.stop();
});

function write(name: string, text: string): string {
  const file = join(dirname(server.kubeconfig), name);
  writeFileSync(file, text);
  return file;
}

/** A client for the server by way of a kubeconfig with this user, and these changes to the cluster. */
function clientFor(user: object, cluster: object = {}): KubeClient {
  const config = parse(readFileSync(server.kubeconfig, 'utf8')) as { clusters: { name: string; cluster: object }[] };
  const kubeconfig = {
    ...config,
    clusters: config.clusters.map((each) => ({ ...each, cluster: { ...each.cluster, ...cluster } })),
    users: [{ name: 'admin', user }],
  };
  const [context] = loadContexts([write(`kubeconfig-${++files}`, stringify(kubeconfig))], ['lone']);
  assert.ok(context);
  const transport = new UndiciTransport(context, systemClock);
  transports.push(transport);
  return createKubeClient({
    transport,
    clock: systemClock,
    fieldManager: 'ringmaster',
    userAgent: 'ringmaster/test',
    requestDeadlineMs: 30_000,
  });
}

/** `ok`, or the code of the failure. */
async function outcome(client: KubeClient): Promise<string> {
  try {
    await client.get(resources.namespaces, { name: 'default' }, signal);
    return 'ok';
  } catch (error) {
    assert.ok(error instanceof KubeError, String(error));
    return error.code;
  }
}

test('a credential plugin is asked again after the server refused its token', async () => {
  const runs = write('plugin-runs', '');
  const script = write(
    'plugin.cjs',
    `const fs = require('node:fs');
     fs.appendFileSync(${JSON.stringify(runs)}, 'x');
     const token = fs.readFileSync(${JSON.stringify(runs)}, 'utf8').length === 1 ? 'expired' : ${JSON.stringify(admin)};
     console.log(JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token } }));`,
  );
  const client = clientFor({
    exec: { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: [script] },
  });
  assert.equal(await outcome(client), 'Unauthorized');
  assert.deepEqual(await Promise.all(Array.from({ length: 5 }, () => outcome(client))), Array(5).fill('ok'));
  assert.equal(readFileSync(runs, 'utf8'), 'xx', 'it ran once for each token');
});

test('a token file is read again after the server refused its token', async () => {
  const tokenFile = write('token', 'expired\n');
  const client = clientFor({ tokenFile });
  assert.equal(await outcome(client), 'Unauthorized');
  writeFileSync(tokenFile, `${admin}\n`);
  assert.equal(await outcome(client), 'ok');
});

test('impersonation is passed on', async () => {
  assert.equal(await outcome(clientFor({ token: admin, as: 'nobody' })), 'Forbidden');
});

test('the name to expect in the certificate can be given', async () => {
  assert.equal(await outcome(clientFor({ token: admin }, { 'tls-server-name': 'localhost' })), 'ok');
  assert.equal(await outcome(clientFor({ token: admin }, { 'tls-server-name': 'another.example' })), 'Unreachable');
});

test("a server with another cluster's certificate is not sent anything, unless verification is off", async () => {
  const { authority } = await makeCertificates('another', []);
  const data = Buffer.from(authority).toString('base64');
  const error = await clientFor({ token: admin }, { 'certificate-authority-data': data })
    .get(resources.namespaces, { name: 'default' }, signal)
    .catch((failure: unknown) => failure);
  assert.ok(error instanceof KubeError);
  assert.deepEqual([error.code, error.mayHaveActed], ['Unreachable', false]);
  assert.match(error.message, /certificate|signature/);
  const careless = { 'certificate-authority-data': undefined, 'insecure-skip-tls-verify': true };
  assert.equal(await outcome(clientFor({ token: admin }, careless)), 'ok');
});
