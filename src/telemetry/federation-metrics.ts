import { Gauge, type Registry } from 'prom-client';
import { type ConditionType, conditionTypes, reasons, regionStages } from '../api/conditions.ts';
import type { RegionStatus, Status } from '../api/schema.ts';

/** A MultiCassandraCluster as the hub holds it. */
export interface FederationState {
  readonly namespace: string;
  readonly name: string;
  readonly status: Status | undefined;
}

/** How the hub does, read when metrics are. */
export interface HubState {
  /** Milliseconds since the hub's API server was last heard by who watches MultiCassandraClusters; undefined before the first time. */
  readonly cacheAgeMs: number | undefined;
  readonly federations: Iterable<FederationState>;
}

/** `federation_namespace` and not `namespace`: that label is the scraped pod's, which Prometheus sets itself. */
const whose = ['federation_namespace', 'federation'] as const;

/**
 * How the hub does and what the statuses of its MultiCassandraClusters say, as gauges that `read` is asked for whenever
 * metrics are read; it answers undefined as long as there is nothing to say. The values of labels are bounded by the specs and by the words in src/api/conditions.ts, whatever a status holds: a reason
 * that is not known is `Other`. Regions are counted and not named, but for those that change: a hundred of them in fifty
 * federations would be a page of megabytes.
 */
export function showHub(registry: Registry, read: () => HubState | undefined): void {
  const gauge = (
    name: string,
    help: string,
    labelNames: readonly string[],
    set: (gauge: Gauge, labels: Record<(typeof whose)[number], string>, status: Status) => void,
  ): void => {
    const made: Gauge = new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect: () => {
        made.reset();
        for (const { namespace, name: federation, status } of read()?.federations ?? []) {
          if (status) set(made, { federation_namespace: namespace, federation }, status);
        }
      },
    });
  };

  const age: Gauge = new Gauge({
    name: 'ringmaster_hub_cache_age_seconds',
    help: "Time since the hub's API server was last heard; bookmarks come once a minute",
    registers: [registry],
    collect: () => {
      age.remove();
      const ageMs = read()?.cacheAgeMs;
      if (ageMs !== undefined) age.set(ageMs / 1000);
    },
  });
  gauge(
    'ringmaster_federation_condition',
    'One for each condition of a MultiCassandraCluster, with its present status and reason',
    [...whose, 'condition', 'status', 'reason'],
    (conditions, labels, status) => {
      for (const { type, status: is, reason } of status.conditions ?? []) {
        if (!isKnown(type)) continue;
        const known = Object.hasOwn(reasons[type], reason) ? reason : 'Other';
        conditions.set({ ...labels, condition: type, status: is, reason: known }, 1);
      }
    },
  );
  gauge(
    'ringmaster_federation_regions',
    'Regions of a MultiCassandraCluster by the stage they are in',
    [...whose, 'stage'],
    (stages, labels, status) => {
      const counts = Object.groupBy(
        status.regions ?? [],
        ({ stage }) => regionStages.find((each) => each === stage) ?? 'Unknown',
      );
      for (const [stage, { length }] of Object.entries(counts)) stages.set({ ...labels, stage }, length);
    },
  );
  gauge('ringmaster_federation_nodes', 'Nodes that the spec asks for', whose, (nodes, labels, status) => {
    nodes.set(
      labels,
      sum(status.regions, ({ nodes: wanted }) => wanted),
    );
  });
  gauge('ringmaster_federation_ready_nodes', 'Nodes that are ready', whose, (nodes, labels, status) => {
    nodes.set(
      labels,
      sum(status.regions, ({ readyNodes }) => readyNodes),
    );
  });
  gauge(
    'ringmaster_federation_changing_since_timestamp_seconds',
    'When the change of a region began that has not settled yet',
    [...whose, 'region'],
    (times, labels, status) => {
      for (const { name, changingSince } of status.regions ?? []) {
        const at = Date.parse(changingSince ?? '');
        if (!Number.isNaN(at)) times.set({ ...labels, region: name }, at / 1000);
      }
    },
  );
}

/** Of the regions that are, or are to be, part of the ring. */
function sum(regions: Status['regions'], count: (region: RegionStatus) => number | undefined): number {
  return (regions ?? [])
    .filter(({ stage }) => stage !== 'Removed' && stage !== 'Abandoned')
    .reduce((total, region) => total + (count(region) ?? 0), 0);
}

function isKnown(type: string): type is ConditionType {
  return Object.hasOwn(conditionTypes, type);
}
