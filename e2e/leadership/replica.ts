import { join } from 'node:path';
import { request } from 'undici';
import { defaultServiceAccount } from '../../src/cli/rbac.ts';
import type { Regions } from '../harness/index.ts';
import { controllerUser, waitFor } from '../harness/index.ts';
import { type ServiceAccount, userOf } from '../harness/controller-account.ts';
import { writeKubeconfig } from '../harness/kubeconfig.ts';
import { writesBy } from '../ring/audit-log.ts';
import { ControllerProcess, type ControllerOptions } from '../ring/controller-process.ts';

/** Audit logs tell by the user which of two replicas wrote: the controller's ServiceAccount, or a second one like it. */
export type ReplicaUser = 'ringmaster' | 'second';

const secondAccount: ServiceAccount = { namespace: defaultServiceAccount.namespace, name: 'second' };
const secondUser = userOf(secondAccount);

/** Makes `second` in all regions, with the rights of the first one in `namespace`; in the hub, those of the hub too. */
export async function makeSecondAccount(regions: Regions, hub: string, namespace: string): Promise<void> {
  const planes = regions.all.map(async ({ controlPlane }) => {
    const { account, token } = await controlPlane.anotherAccount(secondAccount, [namespace]);
    if (controlPlane.name === hub) await account.makeHub();
    const { name, url, authority, tokens } = controlPlane;
    return { name, url, authority, tokens: { ...tokens, ringmaster: token } };
  });
  writeKubeconfig(secondKubeconfig(regions), 'ringmaster', await Promise.all(planes));
}

function secondKubeconfig(regions: Regions): string {
  return join(regions.directory, 'second.kubeconfig');
}

/** One of several controllers of one hub. */
export class Replica {
  readonly user: ReplicaUser;
  readonly process: ControllerProcess;

  constructor(regions: Regions, name: string, user: ReplicaUser, options: ControllerOptions = {}) {
    this.user = user;
    const kubeconfig = user === 'second' ? secondKubeconfig(regions) : regions.controllerKubeconfig;
    this.process = new ControllerProcess(regions, {
      kubeconfig,
      ...options,
      name,
      arguments: ['--lease-namespace', defaultServiceAccount.namespace, ...(options.arguments ?? [])],
    });
  }

  /** How often it began to lead. */
  get terms(): number {
    return this.process.log().filter(({ message }) => message === 'leads').length;
  }

  untilReady(): Promise<unknown> {
    return waitFor(async () => (await this.get('/readyz')).status === 200, { what: 'readiness', timeoutMs: 300_000 });
  }

  /** Waits for its `term`th term, and resolves with how long that took, milliseconds. */
  async untilLeads(term = 1): Promise<number> {
    const since = performance.now();
    await waitFor(() => this.terms >= term, {
      what: `${this.process.logFile} to lead`,
      timeoutMs: 300_000,
      intervalMs: 50,
    });
    return performance.now() - since;
  }

  async get(path: string): Promise<{ status: number; text: string }> {
    const { statusCode, body } = await request(`http://127.0.0.1:${await this.process.port()}${path}`);
    return { status: statusCode, text: await body.text() };
  }

  /** 1 while it leads, by its own metrics. */
  async masterStatus(): Promise<string | undefined> {
    return /^leader_election_master_status\{.*name="ringmaster".*\} (\d)$/m.exec(
      (await this.get('/metrics')).text,
    )?.[1];
  }
}

/** One write of one replica, as an API server has seen it. `atMs` since 1970: all servers share this machine's clock. */
export interface ReplicaWrite {
  readonly user: ReplicaUser;
  readonly what: string;
  readonly atMs: number;
  readonly succeeded: boolean;
}

/** What both replicas wrote to all API servers, in order. */
export function writesOfReplicas(regions: Regions): ReplicaWrite[] {
  return regions.all
    .flatMap(({ auditLog, name }) =>
      (['ringmaster', 'second'] as const).flatMap((user) =>
        writesBy(auditLog, user === 'ringmaster' ? controllerUser : secondUser).map(({ verb, what, at, status }) => ({
          user,
          what: what.startsWith('leases/') ? what : `${name}: ${verb} ${what}`,
          atMs: Date.parse(at),
          succeeded: status >= 200 && status < 300,
        })),
      ),
    )
    .sort((one, other) => one.atMs - other.atMs);
}

/** Whether a write is one of the Lease itself. */
export function isOfLease({ what }: ReplicaWrite): boolean {
  return what.startsWith('leases/');
}

/** Writes that reached a server while the last successful write of the Lease was another replica's. */
export function writesWithoutLease(writes: readonly ReplicaWrite[]): ReplicaWrite[] {
  let holder: ReplicaUser | undefined;
  return writes.filter((write) => {
    if (isOfLease(write) && write.succeeded) holder = write.user;
    return !isOfLease(write) && write.user !== holder;
  });
}
