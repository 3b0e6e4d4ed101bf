import { once } from 'node:events';
import type { ClientRequest } from 'node:http';
import { request } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { defaultServiceAccount } from '../../src/cli/rbac.ts';
import type { Region } from '../harness/index.ts';

const name = 'storm';
const priorityLevels = '/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations';
const flowSchemas = '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas';
const apiVersion = 'flowcontrol.apiserver.k8s.io/v1';
/** Between two attempts to be the one request that is let in, milliseconds. */
const againMs = 50;

/**
 * Makes a region's API server answer 429 to whatever the controller asks of it, as it does when others ask too much: the
 * controller gets a priority level without a seat. One request is let into such a level all the same while there is no
 * other, so one that never sends its body is there first.
 */
export class RequestStorm {
  readonly #region: Region;
  readonly #path: string;
  readonly #stop = new AbortController();
  #holding: Promise<void> = Promise.resolve();

  /** `namespace` is one that the controller may use. */
  constructor(region: Region, namespace: string) {
    this.#region = region;
    this.#path = `/api/v1/namespaces/${namespace}/configmaps`;
  }

  /** Resolves when a request of the controller's account is refused. */
  async begin(): Promise<void> {
    const { api } = this.#region;
    await api.apply(`${priorityLevels}/${name}`, 'storm', {
      apiVersion,
      kind: 'PriorityLevelConfiguration',
      metadata: { name },
      spec: {
        type: 'Limited',
        limited: {
          nominalConcurrencyShares: 0,
          lendablePercent: 0,
          borrowingLimitPercent: 0,
          limitResponse: { type: 'Reject' },
        },
      },
    });
    const everything = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] };
    await api.apply(`${flowSchemas}/${name}`, 'storm', {
      apiVersion,
      kind: 'FlowSchema',
      metadata: { name },
      spec: {
        priorityLevelConfiguration: { name },
        matchingPrecedence: 2,
        distinguisherMethod: { type: 'ByUser' },
        rules: [
          {
            subjects: [{ kind: 'ServiceAccount', serviceAccount: { ...defaultServiceAccount } }],
            resourceRules: [everything],
          },
        ],
      },
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#holding = this.#hold(resolve);
    await promise;
  }

  async end(): Promise<void> {
    const { api } = this.#region;
    this.#stop.abort();
    await this.#holding;
    await api.delete(`${flowSchemas}/${name}`);
    await api.delete(`${priorityLevels}/${name}`);
  }

  /** Two requests at a time: when the second is refused, the first is in. */
  async #hold(refused: () => void): Promise<void> {
    const { signal } = this.#stop;
    const keep = async (): Promise<void> => {
      while (!signal.aborted) {
        const open = this.#ask();
        signal.addEventListener('abort', () => open.destroy(), { once: true });
        const answer = once(open, 'response', { signal }) as Promise<[{ statusCode?: number }]>;
        const status = await answer.then(([{ statusCode }]) => statusCode).catch(() => undefined);
        if (status === 429) refused();
        open.destroy();
        await delay(againMs, undefined, { signal }).catch(() => undefined);
      }
    };
    await Promise.all([keep(), keep()]);
  }

  /** Never sends what it announces: it is under way until the API server gives it up. */
  #ask(): ClientRequest {
    const { url, authority, tokens } = this.#region.controlPlane;
    const open = request(url + this.#path, {
      method: 'POST',
      ca: authority,
      agent: false,
      headers: {
        authorization: `Bearer ${tokens.ringmaster}`,
        'content-type': 'application/json',
        'content-length': '100',
      },
    });
    open.on('error', () => undefined);
    open.flushHeaders();
    return open;
  }
}
