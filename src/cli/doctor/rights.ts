import { type AccessRule, eachNamespace } from '../../kube/access.ts';
import { type Answer, type Cluster, reviewPaths } from './cluster.ts';
import type { Finding, Tell } from './finding.ts';

/** One thing that somebody may or may not do, as access reviews ask for it. */
export interface Right {
  readonly attributes:
    | { readonly nonResourceAttributes: { readonly path: string; readonly verb: 'get' } }
    | { readonly resourceAttributes: Readonly<Record<string, string>> };
  readonly verb: string;
  /** In words: `pods in cassandra`. */
  readonly what: string;
  readonly why: string;
}

/** Where rights are asked about. */
export interface Places {
  /** The namespace that rules call `namespace`; undefined: those rules are left out. */
  readonly namespace?: string;
  /** The namespace that rules call `own`; undefined: those rules are left out. */
  readonly own?: string;
  /** Whether rules that hold for the whole cluster are asked about. */
  readonly cluster: boolean;
}

/** Every single right that the rules come to, made of the rules that the roles are made of. Pure. */
export function rightsOf(rules: readonly AccessRule[], places: Places): Right[] {
  return rules.flatMap((rule): Right[] => {
    if ('path' in rule) {
      const nonResourceAttributes = { path: rule.path, verb: 'get' as const };
      return places.cluster
        ? [{ attributes: { nonResourceAttributes }, verb: 'get', what: rule.path, why: rule.why }]
        : [];
    }
    const { scope, group, resource: whole, verbs, names, why } = rule;
    const at = scope === 'cluster' ? undefined : scope === 'own' ? places.own : places.namespace;
    if (scope === 'cluster' ? !places.cluster : at === undefined) return [];
    const [resource = '', subresource] = whole.split('/');
    const named = (names ?? [undefined]).flatMap((name) =>
      name === eachNamespace ? (places.namespace ?? []) : [name],
    );
    return verbs.flatMap((verb) =>
      named.map((name): Right => {
        const where = at === undefined ? '' : ` in ${at}`;
        const resourceAttributes = {
          group,
          resource,
          verb,
          ...(subresource !== undefined && { subresource }),
          ...(at !== undefined && { namespace: at }),
          ...(name !== undefined && { name }),
        };
        return {
          attributes: { resourceAttributes },
          verb,
          what: `${whole}${name === undefined ? '' : ` ${name}`}${where}`,
          why,
        };
      }),
    );
  });
}

/** Whose rights are asked about; undefined: those of whoever asks. */
export interface Account {
  readonly namespace: string;
  readonly name: string;
}

/** Those of `rights` that are missing, or a sentence why nobody can tell. */
export async function missingRights(
  cluster: Cluster,
  rights: readonly Right[],
  account: Account | undefined,
  signal: AbortSignal,
): Promise<readonly Right[] | string> {
  try {
    const answers = await Promise.all(rights.map(({ attributes }) => review(cluster, attributes, account, signal)));
    const odd = answers.find(({ status }) => status !== 201 && status !== 200);
    if (odd) return `its API server answers a review of rights with ${odd.status}`;
    return rights.filter((_, at) => !isAllowed(answers[at]?.body));
  } catch (error) {
    if (signal.aborted) throw error;
    return error instanceof Error ? error.message : String(error);
  }
}

function review(
  cluster: Cluster,
  attributes: Right['attributes'],
  account: Account | undefined,
  signal: AbortSignal,
): Promise<Answer> {
  const apiVersion = 'authorization.k8s.io/v1';
  if (!account) {
    return cluster.ask(reviewPaths.self, signal, { apiVersion, kind: 'SelfSubjectAccessReview', spec: attributes });
  }
  const accounts = 'system:serviceaccounts';
  const spec = {
    ...attributes,
    user: `system:serviceaccount:${account.namespace}:${account.name}`,
    groups: [accounts, `${accounts}:${account.namespace}`, 'system:authenticated'],
  };
  return cluster.ask(reviewPaths.other, signal, { apiVersion, kind: 'SubjectAccessReview', spec });
}

function isAllowed(body: unknown): boolean {
  return (body as { status?: { allowed?: unknown } } | undefined)?.status?.allowed === true;
}

/** @param grant the command that gives the rights */
export function rightsFinding(
  tell: Tell,
  rights: readonly Right[],
  missing: readonly Right[] | string,
  account: Account | undefined,
  grant: string,
): Finding {
  const whose = account ? `ServiceAccount ${account.namespace}/${account.name}` : 'whoever its kubeconfig names';
  if (typeof missing === 'string') return tell('rights', 'unseen', `the rights of ${whose} cannot be told: ${missing}`);
  if (missing.length === 0) {
    return tell('rights', 'ok', `${whose} has all ${rights.length} rights that Ringmaster needs`);
  }
  const byObject = Map.groupBy(missing, ({ what, why }) => `${what} (${why})`);
  const shown = [...byObject].slice(0, shownMax).map(([what, rights]) => `${verbsOf(rights)} ${what}`);
  const more = byObject.size > shown.length ? `; and ${byObject.size - shown.length} more` : '';
  return tell('rights', 'failure', `${whose} may not ${shown.join('; ')}${more}`, grant);
}

const shownMax = 3;

function verbsOf(rights: readonly Right[]): string {
  return rights.map(({ verb }) => verb).join(', ');
}
