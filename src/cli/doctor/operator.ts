import * as z from 'zod';
import type { KubeObject } from '../../kube/objects.ts';
import { casskop } from '../../operators/casskop/casskop.ts';
import {
  bugsOf,
  type CasskopVersion,
  compare,
  isOperatorImage,
  newestTried,
  versionOfImage,
} from './casskop-version.ts';
import type { Cluster } from './cluster.ts';
import type { Finding, Tell } from './finding.ts';

/** What can be seen of the regional operator in a cluster. */
export interface OperatorSeen {
  /** Its CustomResourceDefinition; a sentence: it cannot be looked at; undefined: it is not there. */
  readonly crd: KubeObject | string | undefined;
  /** Deployments that run it where it looks after `namespace`, as `namespace/name` -> image; a sentence: they cannot be listed. */
  readonly deployments: ReadonlyMap<string, string> | string;
}

const deploymentsSchema = z.looseObject({
  items: z.array(
    z.looseObject({
      metadata: z.looseObject({ name: z.string(), namespace: z.string() }),
      spec: z.looseObject({
        template: z.looseObject({
          spec: z.looseObject({ containers: z.array(z.looseObject({ image: z.string().default('') })) }),
        }),
      }),
    }),
  ),
});

/** Looks for CassKop: in the members' own namespace, where it usually is, and else in all. */
export async function seeOperator(cluster: Cluster, namespace: string, signal: AbortSignal): Promise<OperatorSeen> {
  const crds = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${casskop.crdName}`;
  const found = await cluster.find(crds, signal);
  const crd = 'object' in found ? (found.object as KubeObject) : 'why' in found ? found.why : undefined;
  const near = await deploymentsIn(cluster, `/apis/apps/v1/namespaces/${namespace}/deployments`, signal);
  if (typeof near !== 'string' && near.size > 0) return { crd, deployments: near };
  const all = await deploymentsIn(cluster, '/apis/apps/v1/deployments', signal);
  return { crd, deployments: typeof all === 'string' ? near : all };
}

async function deploymentsIn(
  cluster: Cluster,
  path: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string> | string> {
  const found = await cluster.find(path, signal);
  if (!('object' in found)) return 'why' in found ? found.why : 'there are none';
  const { items } = deploymentsSchema.safeParse(found.object).data ?? { items: [] };
  return new Map(
    items.flatMap(({ metadata, spec }) =>
      spec.template.spec.containers
        .filter(({ image }) => isOperatorImage(image))
        .map(({ image }) => [`${metadata.namespace}/${metadata.name}`, image] as const),
    ),
  );
}

/** Its CRD, its version, and what is known of that. Pure. */
export function operatorFindings(tell: Tell, { crd, deployments }: OperatorSeen, context: string): Finding[] {
  if (crd === undefined) {
    return [
      tell(
        'crd',
        'failure',
        `the CustomResourceDefinition ${casskop.crdName} is missing: CassKop is not installed`,
        `install CassKop by its chart into context ${context}; it brings the CustomResourceDefinitions along`,
      ),
    ];
  }
  return [crdFinding(tell, crd), ...versionFindings(tell, crd, deployments)];
}

function crdFinding(tell: Tell, crd: KubeObject | string): Finding {
  if (typeof crd === 'string')
    return tell('crd', 'unseen', `CassKop's CustomResourceDefinition cannot be read: ${crd}`);
  const { statusSubresource, schema } = casskop.capabilities(crd);
  if (Object.keys(schema).length === 0) {
    const message = `${casskop.crdName} serves no version ${casskop.member.version}, which Ringmaster writes`;
    return tell('crd', 'failure', message, 'upgrade CassKop and its CustomResourceDefinitions');
  }
  const subresource = statusSubresource ? 'a' : 'no';
  return tell(
    'crd',
    'ok',
    `${casskop.crdName} serves ${casskop.member.version}, with ${subresource} status subresource`,
  );
}

function versionFindings(tell: Tell, crd: KubeObject | string, deployments: OperatorSeen['deployments']): Finding[] {
  if (typeof deployments === 'string' || deployments.size === 0) {
    const why = typeof deployments === 'string' ? deployments : 'no Deployment has an image of that name';
    const isNew = typeof crd !== 'string' && casskop.capabilities(crd).statusSubresource;
    const guess = typeof crd === 'string' ? '' : `, by its CRD it is ${isNew ? '2.3.0 or newer' : '2.2.9 or older'}`;
    return [tell('operator', 'unseen', `CassKop's version cannot be seen (${why})${guess}`)];
  }
  return [...deployments].flatMap(([name, image]) => {
    const version = versionOfImage(image);
    if (!version) return [tell('operator', 'unseen', `Deployment ${name} runs ${image}, whose tag tells no version`)];
    return [versionFinding(tell, name, version), ...bugFindings(tell, version)];
  });
}

function versionFinding(tell: Tell, name: string, version: CasskopVersion): Finding {
  const said = `CassKop ${version.join('.')} (Deployment ${name})`;
  if (compare(version, newestTried) <= 0) return tell('operator', 'ok', said);
  const message = `${said} is newer than ${newestTried.join('.')}, the newest that Ringmaster was tried with`;
  return tell(
    'operator',
    'warning',
    message,
    'try changes in a region that matters less first: ringmaster plan -f FILE',
  );
}

function bugFindings(tell: Tell, version: CasskopVersion): Finding[] {
  const bugs = bugsOf(version);
  const avoided = bugs.filter(({ todo }) => todo === undefined).map(({ message }) => message);
  return [
    ...bugs.flatMap(({ message, todo }) =>
      todo === undefined ? [] : [tell('operator', 'warning', `a bug of that version: ${message}`, todo)],
    ),
    ...(avoided.length > 0
      ? [tell('operator', 'ok', `bugs of that version which Ringmaster keeps clear of: ${avoided.join('; ')}`)]
      : []),
  ];
}
