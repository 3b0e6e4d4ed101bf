import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ApiServer } from './api-server.ts';
import { searchDomains } from './dns/zone.ts';
import type { Run, RunProcess } from './run/run.ts';

/** `true`: CassKop's own waiting times (5 s resync, 20 s blind window); `fast`: shorter, for tests of other things. */
export type Pace = 'true' | 'fast';

export interface OperatorOptions {
  readonly region: string;
  /** The region's network namespace. */
  readonly networkNamespace: string;
  /** The Kubernetes namespace it looks after. */
  readonly namespace: string;
  readonly kubeconfig: string;
  readonly pace: Pace;
  /** For its log and its files. */
  readonly directory: string;
  /** 0 for the first namespace of the region, then 1, ...: keeps the ports of several apart. */
  readonly index: number;
}

const standIn = join(import.meta.dirname, '../casskop/main.ts');
const podName = 'casskop';
const restartDelayMs = 1_000;

// $1: a directory with resolv.conf, $2: the namespace. Every `ip netns exec` has a mount namespace of its own, so
// nothing of this is seen outside.
const enter = `
mount --bind "$1/resolv.conf" /etc/resolv.conf
mount -t tmpfs tmpfs "$(readlink -f /var/run)"
mkdir -p /var/run/secrets/kubernetes.io/serviceaccount
printf %s "$2" > /var/run/secrets/kubernetes.io/serviceaccount/namespace
shift 2
exec "$@"
`;

/**
 * CassKop for one namespace of one region: the stand-in, or the program that CASSKOP_BIN names. It is started again
 * when it ends by itself, as its Deployment would.
 */
export class RegionalOperator {
  readonly #run: Run;
  readonly #options: OperatorOptions;
  #process: RunProcess | undefined;
  #wanted = true;

  private constructor(run: Run, options: OperatorOptions) {
    this.#run = run;
    this.#options = options;
  }

  static async start(run: Run, api: ApiServer, options: OperatorOptions): Promise<RegionalOperator> {
    const operator = new RegionalOperator(run, options);
    const { directory, namespace } = options;
    mkdirSync(directory, { recursive: true });
    writeFileSync(
      join(directory, 'resolv.conf'),
      `search ${searchDomains(namespace).join(' ')}\nnameserver 127.0.0.1\noptions ndots:5 timeout:2\n`,
    );
    if (process.env['CASSKOP_BIN']) await createOwnPod(api, namespace);
    operator.#spawn();
    return operator;
  }

  /** Ends it; it stays ended. */
  async stop(): Promise<void> {
    this.#wanted = false;
    await this.#process?.kill();
  }

  #spawn(): void {
    const { directory, namespace, networkNamespace, region } = this.#options;
    const { argv, env } = this.#command();
    const log = join(directory, 'operator.log');
    this.#process = this.#run.spawn(['sh', '-euc', enter, 'operator', directory, namespace, ...argv], {
      log,
      namespace: networkNamespace,
      env: { ...process.env, ...env },
    });
    this.#process.child.once('exit', (code, signal) => {
      if (!this.#wanted) return;
      console.error(`region ${region}: the operator of ${namespace} ended (${code ?? signal}), see ${log}`);
      void delay(restartDelayMs, undefined, { ref: false }).then(() => {
        if (this.#wanted) this.#spawn();
      });
    });
  }

  #command(): { argv: string[]; env: NodeJS.ProcessEnv } {
    const { kubeconfig, region, namespace, pace, index } = this.#options;
    const binary = process.env['CASSKOP_BIN'];
    if (!binary)
      return {
        argv: [
          process.execPath,
          standIn,
          '--kubeconfig',
          kubeconfig,
          '--context',
          region,
          '--namespace',
          namespace,
          '--pace',
          pace,
        ],
        env: {},
      };
    return {
      argv: [
        binary,
        `--kubeconfig=${kubeconfig}`,
        `--metrics-addr=127.0.0.1:${20_000 + index}`,
        `--health-probe-bind-address=127.0.0.1:${21_000 + index}`,
      ],
      env: { WATCH_NAMESPACE: namespace, POD_NAME: podName, LOG_LEVEL: 'Info' },
    };
  }
}

/** The real one takes a lock in the name of the Pod it runs in, so that Pod must exist. */
async function createOwnPod(api: ApiServer, namespace: string): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/pods/${podName}`;
  await api.apply(path, 'harness', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: podName, namespace },
    spec: { containers: [{ name: podName, image: 'casskop' }], serviceAccountName: 'cassandra-cluster-node' },
  });
}
