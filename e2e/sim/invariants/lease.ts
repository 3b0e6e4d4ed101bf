import type { Invariant, Write } from './invariant.ts';

/** client-go's, and not what the controller says it is. Milliseconds. */
const renewDeadlineMs = 10_000;

/** DESIGN invariant 9, first half. */
export const onlyTheLeaderWrites: Invariant = {
  name: 'only the leader writes',
  statement: `Nothing is sent by a controller that does not hold the Lease, nor later than ${renewDeadlineMs / 1000} s after it began its last successful renewal, however long it has stood still: by then another one may lead.`,
  watch: () => ({
    onWrite: ({ by, cluster, plural, name, why, lease }) =>
      breach(by, lease, `${by} sent a write of ${plural} ${name} to ${cluster} (${why})`),
    onOrder: ({ by, cluster, pod, what, why, lease }) =>
      breach(by, lease, `${by} sent ${pod} in ${cluster} the order ${what} (${why})`),
    onAlter: ({ by, cluster, pod, keyspace, why, lease }) =>
      breach(by, lease, `${by} had ${pod} in ${cluster} alter keyspace ${keyspace} (${why})`),
  }),
};

function breach(by: string, lease: Write['lease'], what: string): string | undefined {
  if (lease.holder !== by) return `${what} while ${lease.holder || 'nobody'} held the Lease`;
  if (lease.sinceRenewalMs <= renewDeadlineMs) return undefined;
  return `${what} ${lease.sinceRenewalMs} ms after it had begun to renew the Lease for the last time`;
}
