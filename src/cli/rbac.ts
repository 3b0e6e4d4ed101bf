import { Document, type Node } from 'yaml';
import { type AccessRule, eachNamespace } from '../kube/access.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Output } from './output.ts';

export interface RbacOptions {
  /** `hub` or `region`: part of the names of what is made, so that one cluster can be both. */
  readonly place: 'hub' | 'region';
  readonly rules: readonly AccessRule[];
  /** Those that {@link AccessRule} calls `namespace`. */
  readonly namespaces: readonly string[];
  readonly serviceAccount: { readonly namespace: string; readonly name: string };
}

/** Whom the controller runs as, and whom a region's kubeconfig is for, unless another is named. */
export const defaultServiceAccount = { namespace: 'ringmaster-system', name: 'ringmaster' } as const;

const group = 'rbac.authorization.k8s.io';
const apiVersion = `${group}/v1`;

/**
 * The objects that give a ServiceAccount exactly the rights of `rules`, in the order in which they can be applied: the
 * account and its namespace, a ClusterRole with its binding, and per namespace a Role with its binding.
 */
export function rbacObjects({ place, rules, namespaces, serviceAccount }: RbacOptions): KubeObject[] {
  const name = `ringmaster-${place}`;
  const subjects = [{ kind: 'ServiceAccount', ...serviceAccount }];
  const pair = (kind: 'ClusterRole' | 'Role', scope: AccessRule['scope'], at?: string): KubeObject[] => {
    const own = scope === 'own' ? `${name}-own` : name;
    const metadata = { name: own, ...(at !== undefined && { namespace: at }) };
    const policy = rules.filter((rule) => rule.scope === scope).map((rule) => policyRule(rule, namespaces));
    if (policy.length === 0) return [];
    return [
      { apiVersion, kind, metadata, rules: policy },
      { apiVersion, kind: `${kind}Binding`, metadata, subjects, roleRef: { apiGroup: group, kind, name: own } },
    ];
  };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: serviceAccount.namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: serviceAccount },
    ...pair('ClusterRole', 'cluster'),
    ...pair('Role', 'own', serviceAccount.namespace),
    ...namespaces.flatMap((namespace) => pair('Role', 'namespace', namespace)),
  ];
}

/** The same as YAML, as it is checked in under config/rbac; each rule says what it is for. */
export function rbacYaml(options: RbacOptions): string {
  const documents = rbacObjects(options).map((object) => {
    const document = new Document(object, { aliasDuplicateObjects: false });
    const scope =
      object.kind === 'ClusterRole' ? 'cluster' : object.metadata.name.endsWith('-own') ? 'own' : 'namespace';
    const shown = options.rules.filter((rule) => rule.scope === scope);
    if (Array.isArray(object['rules'])) {
      for (const [index, { why }] of shown.entries()) {
        (document.getIn(['rules', index], true) as Node).commentBefore = ` ${why}`;
      }
    }
    return document.toString({ lineWidth: 120, singleQuote: true });
  });
  const origin = `# Printed by "ringmaster rbac ${options.place}" from src/runtime/access.ts; do not edit.\n`;
  return origin + documents.join('---\n');
}

/** Prints it, for `kubectl apply -f -`. */
export function printRbac(options: RbacOptions, out: Output): void {
  out.write(rbacYaml(options));
}

function policyRule(rule: AccessRule, namespaces: readonly string[]): Record<string, unknown> {
  if ('path' in rule) return { nonResourceURLs: [rule.path], verbs: ['get'] };
  const names = rule.names?.flatMap((name) => (name === eachNamespace ? namespaces : [name]));
  return {
    apiGroups: [rule.group],
    resources: [rule.resource],
    ...(names && { resourceNames: [...names] }),
    verbs: [...rule.verbs],
  };
}
