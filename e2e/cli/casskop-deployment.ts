import type { ApiObject } from '../harness/index.ts';

/** What CassKop's chart leaves in a cluster, for those who look for it there; nothing runs, since the harness plays CassKop itself. */
export function casskopDeployment(namespace: string, version: string): ApiObject {
  const labels = { app: 'casskop' };
  const image = `ghcr.io/cscetbon/casskop:${version}`;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'casskop', namespace },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'casskop', image }] } },
    },
  };
}
