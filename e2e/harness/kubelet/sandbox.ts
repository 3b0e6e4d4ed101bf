import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clusterLocalName, searchDomains } from '../dns/zone.ts';
import type { Pod } from './objects.ts';

// Runs in new mount and host name namespaces, so nothing of it is seen outside. $1: host name, $2: the sandbox's files.
const enter = `
echo "$1" > /proc/sys/kernel/hostname
mount --bind "$2/hosts" /etc/hosts
mount --bind "$2/resolv.conf" /etc/resolv.conf
shift 2
exec "$@"
`;

/**
 * What a pod's processes see as their machine: the pod's host name (`hostname` and `hostname -f` as in a real pod),
 * a hosts file and a resolver configuration as the kubelet writes them. The network is that of the region.
 */
export class Sandbox {
  /** The pod's cluster-local name. */
  readonly hostName: string;
  readonly #shortName: string;
  readonly #directory: string;

  constructor(pod: Pod, address: string, directory: string) {
    const { name, namespace } = pod.metadata;
    const { hostname = name, subdomain } = pod.spec;
    this.#shortName = hostname;
    this.hostName = subdomain === undefined ? hostname : clusterLocalName(hostname, subdomain, namespace);
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
    const names = subdomain === undefined ? hostname : `${this.hostName} ${hostname}`;
    writeFileSync(join(directory, 'hosts'), `127.0.0.1 localhost\n${address} ${names}\n`);
    writeFileSync(
      join(directory, 'resolv.conf'),
      `search ${searchDomains(namespace).join(' ')}\nnameserver 127.0.0.1\noptions ndots:5 timeout:2\n`,
    );
  }

  /**
   * Starts a program as the leader of a process group of its own; it dies with this process. Its output is appended
   * to `log`.
   */
  spawn(argv: readonly string[], env: NodeJS.ProcessEnv, log: string): ChildProcess {
    const output = openSync(log, 'a');
    const child = spawn(
      'setpriv',
      [
        '--pdeathsig',
        'KILL',
        '--',
        'unshare',
        '--mount',
        '--uts',
        '--',
        'sh',
        '-euc',
        enter,
        'sandbox',
        this.#shortName,
        this.#directory,
        ...argv,
      ],
      { stdio: ['ignore', output, output], env, detached: true },
    );
    closeSync(output);
    return child;
  }
}

/** Sends a signal to a program of a sandbox and everything it started. */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Resolves with the exit code when the program ends: 137 after a signal, 127 if it could not be started. */
export function ended(child: ChildProcess): Promise<number> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  if (child.signalCode !== null) return Promise.resolve(137);
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code ?? 137));
    child.once('error', () => resolve(127));
  });
}
