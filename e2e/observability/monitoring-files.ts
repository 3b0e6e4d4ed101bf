import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** Where what people load into Prometheus and Grafana is kept. */
export const monitoring = join(import.meta.dirname, '../../deploy/monitoring');
export const runbooks = join(import.meta.dirname, '../../docs/runbooks');

/** One alerting rule, as Prometheus reads it. */
export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly Alert[];
}

/** A variable of a dashboard; those that are asked of Prometheus have a query. */
interface Variable {
  readonly name: string;
  readonly type: string;
  readonly definition?: string;
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly templating: { readonly list: readonly Variable[] };
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly type: string;
    readonly description?: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly datasource?: { readonly uid: string };
    readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
  }[];
}

export function ruleGroups(): readonly RuleGroup[] {
  return (parse(readFileSync(join(monitoring, 'rules.yaml'), 'utf8')) as { groups: RuleGroup[] }).groups;
}

export function alerts(): readonly Alert[] {
  return ruleGroups().flatMap(({ rules }) => rules);
}

export function dashboards(): readonly Dashboard[] {
  const folder = join(monitoring, 'dashboards');
  return readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Dashboard);
}

/** Every PromQL expression of rules and dashboards, with where it stands. */
export function expressions(): readonly { readonly where: string; readonly expression: string }[] {
  return [
    ...alerts().map(({ alert, expr }) => ({ where: alert, expression: expr })),
    ...dashboards().flatMap(({ title, panels, templating }) => [
      ...panels.flatMap((panel) =>
        (panel.targets ?? []).map(({ expr }) => ({ where: `${title}: ${panel.title}`, expression: expr })),
      ),
      // label_values(selector, label) is Grafana's own.
      ...templating.list.flatMap(({ name, definition }) => {
        const selector = /^label_values\((.*), \w+\)$/.exec(definition ?? '')?.[1];
        return selector === undefined ? [] : [{ where: `${title}: $${name}`, expression: selector }];
      }),
    ]),
  ];
}
