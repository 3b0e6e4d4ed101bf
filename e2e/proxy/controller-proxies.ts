import { join } from 'node:path';
import { makeCertificates } from '../harness/certificates.ts';
import { writeKubeconfig, type KubeconfigRegion } from '../harness/kubeconfig.ts';
import { ApiProxy } from './api-proxy.ts';
import type { Verdict, Write, WriteHooks, WriteSequence } from './write.ts';

export interface ControllerProxiesOptions {
  /** The API servers behind the proxies. */
  readonly targets: readonly KubeconfigRegion[];
  /** For the kubeconfig. */
  readonly directory: string;
  /** Tells the controller's proxies from those of another one in the same directory. */
  readonly name: string;
  /** Shows only the MultiCassandraClusters of this namespace, so that several controllers can share a hub. */
  readonly namespace?: string;
}

const everywhere = '/apis/ringmaster.dev/v1alpha1/multicassandraclusters';

/**
 * The proxies between one controller and the API servers of all its regions. They count its writes as one sequence, and
 * let hooks delay or break each of them at every point of its way.
 */
export class ControllerProxies {
  /** A kubeconfig with the contexts of the regions, for user `ringmaster`, that leads to the proxies. */
  readonly kubeconfig: string;
  /** All writes so far, by number; a write that was dropped counts too. */
  readonly writes: Write[] = [];
  readonly #hooks = new Set<WriteHooks>();
  #proxies: readonly ApiProxy[] = [];

  private constructor(kubeconfig: string) {
    this.kubeconfig = kubeconfig;
  }

  static async start(options: ControllerProxiesOptions): Promise<ControllerProxies> {
    const { targets, directory, name, namespace } = options;
    const proxies = new ControllerProxies(join(directory, `proxied-${name}.kubeconfig`));
    const certificates = await makeCertificates(`proxy-${name}`, ['127.0.0.1']);
    const rewrite = (path: string): string =>
      namespace !== undefined && path.split('?')[0] === everywhere
        ? path.replace('/multicassandraclusters', `/namespaces/${namespace}/multicassandraclusters`)
        : path;
    proxies.#proxies = await Promise.all(
      targets.map((target) => ApiProxy.start({ target, certificates, rewrite, writes: proxies.#sequence() })),
    );
    writeKubeconfig(
      proxies.kubeconfig,
      'ringmaster',
      targets.map((target, index) => ({
        name: target.name,
        tokens: target.tokens,
        url: proxies.#proxies[index]?.url ?? '',
        authority: certificates.authority,
      })),
    );
    return proxies;
  }

  /** Adds hooks; they take effect with the next write, in the order in which they were added. Returns what removes them. */
  use(hooks: WriteHooks): () => void {
    this.#hooks.add(hooks);
    return () => this.#hooks.delete(hooks);
  }

  /** Breaks all connections of the controller. After it was killed: nothing that it sent is on its way any more. */
  disconnect(): void {
    for (const proxy of this.#proxies) proxy.disconnect();
  }

  async close(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
  }

  #sequence(): WriteSequence {
    const firstVerdict = async (ask: (hooks: WriteHooks) => Promise<Verdict> | Verdict): Promise<Verdict> => {
      try {
        for (const hooks of this.#hooks) if ((await ask(hooks)) === 'drop') return 'drop';
        return undefined;
      } catch (error) {
        // A mistake in a hook must not pass for a fault of the network.
        process.nextTick(() => {
          throw error;
        });
        return 'drop';
      }
    };
    return {
      number: (write) => {
        const numbered = { ...write, number: this.writes.length + 1 };
        this.writes.push(numbered);
        return numbered;
      },
      arrived: (write, signal) => firstVerdict((hooks) => hooks.arrived?.(write, signal)),
      answered: (write, status, signal) => firstVerdict((hooks) => hooks.answered?.(write, status, signal)),
      replied: async (write, status) => {
        await firstVerdict(async (hooks) => {
          await hooks.replied?.(write, status);
          return undefined;
        });
      },
    };
  }
}
