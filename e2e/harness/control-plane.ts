import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApiServer } from './api-server.ts';
import { makeCertificates } from './certificates.ts';
import { ControllerAccount, controllerUser, type ServiceAccount } from './controller-account.ts';
import { HarnessError } from './errors.ts';
import { powerfulUsers, writeKubeconfig, type User } from './kubeconfig.ts';
import type { RegionNetwork } from './network.ts';
import { sendSignal } from './run/processes.ts';
import type { Run, RunProcess } from './run/run.ts';
import type { ControlPlanePrograms } from './toolchain.ts';
import { waitFor } from './wait-for.ts';

const apiServerPort = 6443;
const startTimeoutMs = 120_000;

// Every write, by whom and when; bodies are left out, and so are reads, except those of the controller, to see whether
// one is refused, and of ServiceAccounts of the namespace `audited`, for tests that count reads.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: Metadata
  verbs: [create, update, patch, delete, deletecollection]
- level: Metadata
  users: ['${controllerUser}']
- level: Metadata
  userGroups: ['system:serviceaccounts:audited']
- level: None
`;

// Controllers the regions need. Left out: the node lifecycle (nodes here have no heartbeat), endpoints (nothing routes
// by Service), persistent volumes (the harness's kubelet provisions them).
const controllers = [
  'statefulset-controller',
  'deployment-controller',
  'replicaset-controller',
  'garbage-collector-controller',
  'namespace-controller',
  'serviceaccount-controller',
  'root-ca-certificate-publisher-controller',
  'disruption-controller',
  'job-controller',
  'persistentvolumeclaim-protection-controller',
  'persistentvolume-protection-controller',
];

/**
 * One region's control plane: a real etcd, kube-apiserver and kube-controller-manager in the region's namespace. Its
 * state lives in etcd's directory, so it can be killed and started again.
 */
export class ControlPlane {
  readonly name: string;
  readonly url: string;
  /** PEM. */
  readonly authority: string;
  readonly tokens: Record<User, string>;
  /** The API server's audit log, one JSON object a line: all writes, and what the controller reads. */
  readonly auditLog: string;
  /** Client with the rights of `admin`. */
  readonly api: ApiServer;
  /** Whom the controller under test is here. */
  readonly account: ControllerAccount;
  /** That one, and whoever else a controller is here. */
  readonly accounts: ControllerAccount[];
  readonly #run: Run;
  readonly #network: RegionNetwork;
  readonly #programs: ControlPlanePrograms;
  readonly #directory: string;
  readonly #hasControllers: boolean;
  #processes: RunProcess[] = [];

  private constructor(
    run: Run,
    network: RegionNetwork,
    programs: ControlPlanePrograms,
    directory: string,
    authority: string,
    hasControllers: boolean,
  ) {
    this.name = network.name;
    this.url = `https://${network.apiServerAddress}:${apiServerPort}`;
    this.authority = authority;
    const tokens = powerfulUsers.map((user) => [user, randomBytes(16).toString('hex')] as const);
    this.tokens = { ...(Object.fromEntries(tokens) as Record<User, string>), ringmaster: '' };
    this.auditLog = join(directory, 'audit.log');
    this.api = new ApiServer(this.url, this.tokens.admin, authority);
    this.account = new ControllerAccount(this.api, this.auditLog);
    this.accounts = [this.account];
    this.#run = run;
    this.#network = network;
    this.#programs = programs;
    this.#directory = directory;
    this.#hasControllers = hasControllers;
  }

  /**
   * Writes certificates and configuration into `directory`, starts the three programs and resolves when the API server
   * is ready and the controllers run. `controllers: false` leaves those out, for who plays them himself.
   * @throws HarnessError ControlPlaneNotReady, with the place of the logs, after two minutes.
   */
  static async start(
    run: Run,
    network: RegionNetwork,
    programs: ControlPlanePrograms,
    directory: string,
    signal: AbortSignal,
    { controllers: hasControllers = true }: { controllers?: boolean } = {},
  ): Promise<ControlPlane> {
    mkdirSync(directory, { recursive: true });
    const certificates = await makeCertificates(network.name, [network.apiServerAddress, '127.0.0.1', '10.0.0.1']);
    const plane = new ControlPlane(run, network, programs, directory, certificates.authority, hasControllers);
    const files = {
      'ca.crt': certificates.authority,
      'server.crt': certificates.servingCertificate,
      'server.key': certificates.servingKey,
      'service-account.pub': certificates.serviceAccountPublicKey,
      'service-account.key': certificates.serviceAccountPrivateKey,
      'tokens.csv': powerfulUsers.map((user) => `${plane.tokens[user]},${user},${user},"system:masters"\n`).join(''),
      'audit-policy.yaml': auditPolicy,
    };
    for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content, { mode: 0o600 });
    writeKubeconfig(join(directory, 'controller-manager.kubeconfig'), 'admin', [plane]);
    await plane.up(signal);
    plane.tokens.ringmaster = await plane.account.create(signal);
    return plane;
  }

  /** Another account for a controller, to tell two of them apart; resolves with it and a token when it may use `namespaces`. */
  async anotherAccount(
    account: ServiceAccount,
    namespaces: readonly string[],
  ): Promise<{ account: ControllerAccount; token: string }> {
    const made = new ControllerAccount(this.api, this.auditLog, account);
    this.accounts.push(made);
    const token = await made.create(AbortSignal.timeout(startTimeoutMs));
    for (const namespace of namespaces) await made.admit(namespace);
    return { account: made, token };
  }

  /** Starts the programs, after {@link kill} as well, and waits until they serve. */
  async up(signal: AbortSignal): Promise<void> {
    const started = performance.now();
    this.#spawn('etcd', this.#programs.etcd, this.#etcdFlags());
    this.#spawn('kube-apiserver', this.#programs.kubeApiserver, this.#apiServerFlags());
    const ready = this.#waitUntil('its API server to be ready', signal, async () => {
      const answer = await this.api.get<string>('/readyz', signal);
      return answer === 'ok';
    });
    await this.account.whileStarting(ready, signal);
    if (this.#hasControllers) await this.#startControllers(signal);
    console.error(`region ${this.name}: control plane ready after ${Math.round(performance.now() - started)} ms`);
  }

  async #startControllers(signal: AbortSignal): Promise<void> {
    // The controller manager gives up when the API server does not answer, so it starts last.
    this.#spawn('kube-controller-manager', this.#programs.kubeControllerManager, this.#controllerManagerFlags());
    await this.#waitUntil('its controllers to run', signal, async () => {
      return (await this.api.find('/api/v1/namespaces/default/serviceaccounts/default', signal)) !== undefined;
    });
  }

  /** Ends all three programs at once, as a power cut does. Pods go on running, as they would. */
  async kill(): Promise<void> {
    await Promise.all(this.#processes.map((each) => each.kill()));
    this.#processes = [];
  }

  /** Stops the programs without ending them: connections are accepted and nothing answers. */
  pause(): void {
    for (const { identity } of this.#processes) sendSignal(identity, 'SIGSTOP');
  }

  resume(): void {
    for (const { identity } of this.#processes) sendSignal(identity, 'SIGCONT');
  }

  async #waitUntil(what: string, signal: AbortSignal, holds: () => Promise<boolean>): Promise<void> {
    try {
      await waitFor(holds, {
        what: `region ${this.name}: ${what}`,
        timeoutMs: startTimeoutMs,
        intervalMs: 50,
        signal,
        giveUp: () => {
          const ended = this.#processes.find(({ child }) => child.exitCode !== null || child.signalCode !== null);
          return ended && `${ended.child.spawnargs.join(' ').slice(0, 200)} ended with ${ended.child.exitCode}`;
        },
      });
    } catch (cause) {
      throw new HarnessError(
        'ControlPlaneNotReady',
        `Region ${this.name} did not come up: ${(cause as Error).message}. Its logs are in ${this.#directory}.`,
        { cause },
      );
    }
  }

  #spawn(name: string, program: readonly string[], flags: readonly string[]): void {
    const log = join(this.#directory, `${name}.log`);
    this.#processes.push(
      this.#run.spawn([...program, ...flags], { log, namespace: this.#network.namespace, cwd: this.#directory }),
    );
  }

  #etcdFlags(): string[] {
    // Ports need not differ between regions: loopback is the namespace's own.
    const client = 'http://127.0.0.1:2379';
    const peer = 'http://127.0.0.1:2380';
    return [
      `--name=${this.name}`,
      `--data-dir=${join(this.#directory, 'etcd')}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=${this.name}=${peer}`,
      '--unsafe-no-fsync',
      '--log-level=warn',
    ];
  }

  #apiServerFlags(): string[] {
    const address = this.#network.apiServerAddress;
    return [
      '--etcd-servers=http://127.0.0.1:2379',
      `--bind-address=${address}`,
      `--advertise-address=${address}`,
      `--secure-port=${apiServerPort}`,
      '--endpoint-reconciler-type=none',
      '--token-auth-file=tokens.csv',
      '--tls-cert-file=server.crt',
      '--tls-private-key-file=server.key',
      '--client-ca-file=ca.crt',
      '--authorization-mode=RBAC',
      '--allow-privileged',
      `--service-account-issuer=${this.url}`,
      '--service-account-key-file=service-account.pub',
      '--service-account-signing-key-file=service-account.key',
      '--service-cluster-ip-range=10.0.0.0/24',
      '--profiling=false',
      // This plugin taints new nodes until the node lifecycle controller, which does not run here, lifts the taint.
      '--disable-admission-plugins=TaintNodesByCondition',
      '--audit-policy-file=audit-policy.yaml',
      `--audit-log-path=${this.auditLog}`,
      '--audit-log-maxsize=1000',
    ];
  }

  #controllerManagerFlags(): string[] {
    return [
      '--kubeconfig=controller-manager.kubeconfig',
      '--leader-elect=false',
      '--secure-port=0',
      '--service-account-private-key-file=service-account.key',
      '--root-ca-file=ca.crt',
      '--kube-api-qps=200',
      '--kube-api-burst=400',
      `--controllers=${controllers.join(',')}`,
    ];
  }
}
