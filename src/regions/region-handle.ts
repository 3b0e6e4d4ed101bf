import type { Transport } from '../edges/transport.ts';
import type { Breaker } from '../kube/breaker.ts';
import type { KubeClient } from '../kube/client.ts';
import type { RequestGate } from '../kube/request-gate.ts';
import { NamespaceFence } from './namespace-fence.ts';
import { type Tenancy, tenancyProblem } from './tenancy.ts';

/** Makes a client for a region. `host` is where its API server is by now. */
export type MakeClient = (region: string, transport: Transport, host: () => string) => KubeClient;

/** A region that can be used. It is one and the same Kubernetes cluster for as long as it lives. */
export interface RegionHandle {
  readonly name: string;
  /** Where its registration comes from, for messages. */
  readonly origin: string;
  /** Reaches the whole cluster, past the region's limit and breaker: for what concerns the region itself, and the hub. */
  readonly client: KubeClient;
  /** Of what goes through `clientFor`. */
  readonly breaker: Breaker;
  readonly tenancy: Tenancy;
  /** Why what is registered now is not in use, while the handle goes on with what was registered before. */
  readonly problem: string | undefined;
  /** Aborts when the region was removed, or leads to another cluster: nothing it ever said may be built on then. */
  readonly signal: AbortSignal;
  /** Takes note of who the cluster said it is, by the uid of kube-system. */
  identified(clusterUid: string): void;
  /** Why MultiCassandraClusters of `hubNamespace` may not use `namespace` here. */
  tenancyProblem(hubNamespace: string, namespace: string): string | undefined;
  /** A client for them that reaches this one namespace, for as long as they may use it. */
  clientFor(hubNamespace: string, namespace: string): KubeClient;
}

/** What every kind of handle does alike. */
export abstract class FencedRegion implements RegionHandle {
  readonly name: string;
  readonly client: KubeClient;
  readonly breaker: Breaker;
  readonly #transport: Transport;
  readonly #makeClient: MakeClient;
  abstract readonly origin: string;
  abstract readonly tenancy: Tenancy;
  abstract readonly problem: string | undefined;
  abstract readonly signal: AbortSignal;
  abstract identified(clusterUid: string): void;
  /** The API server's host and port. */
  abstract readonly host: string;

  constructor(name: string, transport: Transport, makeClient: MakeClient, gate: RequestGate) {
    this.name = name;
    this.breaker = gate.breaker;
    this.#transport = gate.guard(transport);
    this.#makeClient = makeClient;
    this.client = makeClient(name, transport, () => this.host);
  }

  tenancyProblem(hubNamespace: string, namespace: string): string | undefined {
    return tenancyProblem(this.tenancy, this.name, hubNamespace, namespace);
  }

  clientFor(hubNamespace: string, namespace: string): KubeClient {
    const fence = new NamespaceFence(this.#transport, namespace, () => this.tenancyProblem(hubNamespace, namespace));
    return this.#makeClient(this.name, fence, () => this.host);
  }
}
