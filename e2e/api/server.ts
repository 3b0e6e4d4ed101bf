import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import { stringify } from 'yaml';
import { systemClock } from '../../src/edges/clock.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { loadContexts, type ClusterContext } from '../../src/kube/contexts.ts';
import { createKubeClient } from '../../src/kube/http-client.ts';
import { UndiciTransport } from '../../src/kube/undici-transport.ts';
import { ApiServer } from '../harness/api-server.ts';
import { makeCertificates } from '../harness/certificates.ts';
import { Run, type RunProcess } from '../harness/run/run.ts';
import { findControlPlanePrograms } from '../harness/toolchain/control-plane-programs.ts';

const readyDeadlineMs = 120_000;

/** A kube-apiserver with its etcd on loopback, for tests of what an API server does, without controllers or nodes. */
export interface LoneApiServer {
  /** Its one context is called `lone`; the user is in system:masters. */
  readonly kubeconfig: string;
  readonly context: ClusterContext;
  /** The controller's own client, on the controller's own transport. */
  readonly client: KubeClient;
  /** What that client sends over, for requests it has no method for. */
  readonly transport: UndiciTransport;
  /** Another user's client, with no code in common. */
  readonly other: ApiServer;
  /** Another context of the kubeconfig: `nobody` may do nothing, `stranger` is not known. */
  clientOf(context: 'nobody' | 'stranger'): KubeClient;
  /** Makes etcd forget all versions but the present ones, as it does every five minutes on a real cluster. */
  compact(): Promise<void>;
  /** Kills the API server, keeping its data. */
  kill(): Promise<void>;
  /** Starts it again on the same port, and waits until it is ready. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts one; resolves when it is ready to serve. */
export async function startLoneApiServer(): Promise<LoneApiServer> {
  const run = await Run.start();
  try {
    return await launch(run);
  } catch (error) {
    await run.stop();
    throw error;
  }
}

async function launch(run: Run): Promise<LoneApiServer> {
  const [clientPort, peerPort, port] = await freePorts(3);
  const folder = run.directory;
  const certificates = await makeCertificates('lone', ['127.0.0.1']);
  const write = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  const token = 'lone-admin';
  const server = `https://127.0.0.1:${port}`;
  const programs = await findControlPlanePrograms(new AbortController().signal);
  const peers = `http://127.0.0.1:${peerPort}`;
  const etcd = `http://127.0.0.1:${clientPort}`;
  mkdirSync(join(folder, 'etcd'));
  run.spawn(
    [
      ...programs.etcd,
      '--name=lone',
      `--data-dir=${join(folder, 'etcd')}`,
      '--unsafe-no-fsync',
      `--listen-client-urls=${etcd}`,
      `--advertise-client-urls=${etcd}`,
      `--listen-peer-urls=${peers}`,
      `--initial-advertise-peer-urls=${peers}`,
      `--initial-cluster=lone=${peers}`,
    ],
    { log: join(folder, 'etcd.log') },
  );
  const serviceAccountKey = write('service-account.key', certificates.serviceAccountPrivateKey);
  const apiServer = [
    ...programs.kubeApiserver,
    `--etcd-servers=${etcd}`,
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    '--endpoint-reconciler-type=none',
    '--authorization-mode=RBAC',
    `--token-auth-file=${write('tokens.csv', `${token},admin,admin,"system:masters"\nnobody-token,nobody,nobody\n`)}`,
    `--tls-cert-file=${write('serving.crt', certificates.servingCertificate)}`,
    `--tls-private-key-file=${write('serving.key', certificates.servingKey)}`,
    `--client-ca-file=${write('ca.crt', certificates.authority)}`,
    `--service-account-issuer=${server}`,
    `--service-account-signing-key-file=${serviceAccountKey}`,
    `--service-account-key-file=${write('service-account.pub', certificates.serviceAccountPublicKey)}`,
    '--service-cluster-ip-range=10.0.0.0/24',
    '--profiling=false',
    '--disable-admission-plugins=ServiceAccount',
  ];
  const kubeconfig = write(
    'kubeconfig',
    stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: 'lone',
          cluster: { server, 'certificate-authority-data': Buffer.from(certificates.authority).toString('base64') },
        },
      ],
      users: [
        { name: 'admin', user: { token } },
        { name: 'nobody', user: { token: 'nobody-token' } },
        { name: 'stranger', user: { token: 'not-a-token' } },
      ],
      contexts: ['admin', 'nobody', 'stranger'].map((user) => ({
        name: user === 'admin' ? 'lone' : user,
        context: { cluster: 'lone', user, namespace: 'default' },
      })),
      'current-context': 'lone',
    }),
  );
  const other = ApiServer.fromKubeconfig(kubeconfig);
  let running: RunProcess;
  const log = join(folder, 'apiserver.log');
  const start = async (): Promise<void> => {
    // After a kill the kernel may take a moment to give the port back.
    for (let attempt = 1; ; attempt++) {
      running = run.spawn(apiServer, { log, env: { ...process.env, GOGC: '50' } });
      if (await ready(other, running)) return;
      const end = readFileSync(log, 'utf8').slice(-2000);
      if (attempt === 20 || !end.includes('address already in use')) {
        throw new Error(`the API server did not become ready; the end of its log:\n${end}`);
      }
      await delay(250);
    }
  };
  await start();
  const transports: UndiciTransport[] = [];
  const clientOf = (name: string): Pick<LoneApiServer, 'context' | 'client' | 'transport'> => {
    const [context] = loadContexts([kubeconfig], [name]);
    if (!context) throw new Error(`the kubeconfig has no context ${name}`);
    const transport = new UndiciTransport(context, systemClock);
    transports.push(transport);
    const client = createKubeClient({
      transport,
      clock: systemClock,
      fieldManager: 'ringmaster',
      userAgent: 'ringmaster/test',
      requestDeadlineMs: 30_000,
    });
    return { context, client, transport };
  };
  return {
    kubeconfig,
    ...clientOf('lone'),
    other,
    clientOf: (name) => clientOf(name).client,
    async compact() {
      const status = await etcdCall(etcd, '/v3/maintenance/status', {});
      await etcdCall(etcd, '/v3/kv/compaction', { revision: status.header.revision, physical: true });
    },
    kill: () => running.kill(),
    start,
    async stop() {
      await Promise.all(transports.map((transport) => transport.close()));
      await other.close();
      await run.stop();
    },
  };
}

/** etcd's API in JSON: etcd.io/docs, "gRPC gateway". */
async function etcdCall(etcd: string, path: string, body: unknown): Promise<{ header: { revision: string } }> {
  const response = await request(etcd + path, { method: 'POST', body: JSON.stringify(body) });
  const text = await response.body.text();
  if (response.statusCode !== 200) throw new Error(`etcd ${path}: ${response.statusCode} ${text}`);
  return JSON.parse(text) as { header: { revision: string } };
}

/** Whether it becomes ready as a client sees it: /readyz says ok, and the default namespace exists. */
async function ready(server: ApiServer, { child }: RunProcess): Promise<boolean> {
  const deadline = performance.now() + readyDeadlineMs;
  while (child.exitCode === null && child.signalCode === null && performance.now() < deadline) {
    try {
      await server.get('/readyz');
      await server.get('/api/v1/namespaces/default');
      return true;
    } catch {
      await delay(50);
    }
  }
  return false;
}

/** Ports that nobody listens on now, below the range from which the kernel takes ports for outgoing connections. */
async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(20_000, 32_000);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
