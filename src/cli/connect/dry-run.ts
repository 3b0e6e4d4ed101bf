import { stringify } from 'yaml';
import { kubeconfigWith } from '../../regions/kubeconfig-token.ts';
import { kubeconfigKey } from '../../regions/secrets.ts';
import type { Output } from '../output.ts';
import { type ConnectPlan, wantedInHub } from './connect-plan.ts';
import { regionObjects, type Wanted } from './objects.ts';

/** Prints what `connect` would have in the region and in the hub, as YAML; its token is neither made nor shown. */
export function printDryRun(plan: ConnectPlan, renewAfterSeconds: number | undefined, out: Output): void {
  const show = (where: string, wanted: readonly Wanted[]): void => {
    for (const { object } of wanted)
      out.write(`---\n# ${where}\n${stringify(object, { aliasDuplicateObjects: false, lineWidth: 0 })}`);
  };
  show(`in region ${plan.region}`, regionObjects(plan.account, plan.namespaces, plan.renews, plan.othersNamespaces));
  const kubeconfig = kubeconfigWith(plan.region, plan.at, '<token>');
  const inHub = wantedInHub(plan, kubeconfig, renewAfterSeconds).map((each): Wanted => {
    if (each.kind !== 'Secret') return each;
    const { data: _, ...object } = each.object;
    return { ...each, object: { ...object, metadata: object.metadata, stringData: { [kubeconfigKey]: kubeconfig } } };
  });
  show('in the hub', inHub);
}
