import type { Clock } from '../edges/clock.ts';
import type { Random } from '../edges/random.ts';
import type { Transport } from '../edges/transport.ts';
import type { Breaker } from '../kube/breaker.ts';
import type { KubeClient } from '../kube/client.ts';
import type { CredentialLife } from '../kube/credential-life.ts';
import { Outages } from '../kube/outages.ts';
import { type OnLimited, RequestGate } from '../kube/request-gate.ts';
import { type ClosableTransport, RotatingTransport } from '../kube/rotating-transport.ts';
import { NamespaceFence } from './namespace-fence.ts';
import type { Renewal } from './registration.ts';
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
  /** Of the whole cluster. When one is over, the connections are new ones, and watches go on over them. */
  readonly outages: Pick<Outages, 'suspect' | 'onOver'>;
  readonly tenancy: Tenancy;
  /** Why what is registered now is not in use, while the handle goes on with what was registered before. */
  readonly problem: string | undefined;
  /** How long the credentials in use hold, if that can be told. */
  readonly life: CredentialLife | undefined;
  /** How their token is renewed, if Ringmaster is to do that. */
  readonly renewal: Renewal | undefined;
  /** Aborts when the region was removed, or leads to another cluster: nothing it ever said may be built on then. */
  readonly signal: AbortSignal;
  /** Takes note of who the cluster said it is, by the uid of kube-system. */
  identified(clusterUid: string): void;
  /** Why MultiCassandraClusters of `hubNamespace` may not use `namespace` here. */
  tenancyProblem(hubNamespace: string, namespace: string): string | undefined;
  /** A client for them that reaches this one namespace, for as long as they may use it. */
  clientFor(hubNamespace: string, namespace: string): KubeClient;
}

export interface RegionEdges {
  clock: Clock;
  random: Random;
  onLimited?: OnLimited;
}

/** What every kind of handle does alike. */
export abstract class FencedRegion implements RegionHandle {
  readonly name: string;
  readonly client: KubeClient;
  readonly breaker: Breaker;
  readonly outages: Outages;
  protected readonly connections: RotatingTransport;
  readonly #transport: Transport;
  readonly #makeClient: MakeClient;
  abstract readonly origin: string;
  abstract readonly tenancy: Tenancy;
  abstract readonly problem: string | undefined;
  abstract readonly life: CredentialLife | undefined;
  abstract readonly renewal: Renewal | undefined;
  abstract readonly signal: AbortSignal;
  abstract identified(clusterUid: string): void;
  /** The API server's host and port. */
  abstract readonly host: string;

  constructor(name: string, transport: ClosableTransport, makeClient: MakeClient, edges: RegionEdges) {
    const { clock, random, onLimited } = edges;
    const gate = new RequestGate(clock, random, onLimited);
    this.name = name;
    this.breaker = gate.breaker;
    this.outages = new Outages(clock);
    this.connections = new RotatingTransport(transport);
    const overheard = this.outages.guard(this.connections);
    this.#transport = gate.guard(overheard);
    this.#makeClient = makeClient;
    this.client = makeClient(name, overheard, () => this.host);
    this.outages.onOver(() => {
      this.connections.replace(this.connectAnew(), 'those of before an outage may be dead');
      this.breaker.retryNow();
    });
  }

  /** Other connections to the same cluster, in the way it is reached now. */
  protected abstract connectAnew(): ClosableTransport;

  tenancyProblem(hubNamespace: string, namespace: string): string | undefined {
    return tenancyProblem(this.tenancy, this.name, hubNamespace, namespace);
  }

  clientFor(hubNamespace: string, namespace: string): KubeClient {
    const fence = new NamespaceFence(this.#transport, namespace, () => this.tenancyProblem(hubNamespace, namespace));
    return this.#makeClient(this.name, fence, () => this.host);
  }
}
