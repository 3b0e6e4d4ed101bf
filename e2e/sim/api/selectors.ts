import type { KubeObject } from '../../../src/kube/objects.ts';
import { isRecord } from './values.ts';

/** Whether an object is among those asked for. */
export type Matches = (object: KubeObject) => boolean;

type LabelTest = (labels: Readonly<Record<string, string>>) => boolean;

const labelTests = new Map<string, LabelTest | undefined>();
const noLabels = {};

/**
 * What a label selector and a field selector ask for together; undefined when both are empty.
 * @throws RangeError for a selector that cannot be read, or a field that this kind is not selected by.
 */
export function selection(
  labelSelector: string | undefined,
  fieldSelector: string | undefined,
  selectableFields: readonly string[],
  isCustom: boolean,
): Matches | undefined {
  const labels = labelSelector ? labelTest(labelSelector) : undefined;
  const fields = fieldSelector ? fieldTest(fieldSelector, selectableFields, isCustom) : undefined;
  if (!labels) return fields;
  const matchesLabels: Matches = ({ metadata }) => labels(metadata.labels ?? noLabels);
  return fields ? (object) => fields(object) && matchesLabels(object) : matchesLabels;
}

function labelTest(selector: string): LabelTest | undefined {
  if (!labelTests.has(selector)) labelTests.set(selector, parseLabelSelector(selector));
  return labelTests.get(selector);
}

function parseLabelSelector(selector: string): LabelTest | undefined {
  const requirements = selector
    .split(/,(?![^(]*\))/)
    .map((each) => each.trim())
    .filter((each) => each !== '');
  if (requirements.length === 0) return undefined;
  const tests = requirements.map(parseRequirement);
  return (labels) => tests.every((test) => test(labels));
}

/** `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a`, `!a`. */
function parseRequirement(requirement: string): LabelTest {
  const set = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(requirement);
  if (set) {
    const [, name = '', operator, list = ''] = set;
    const values = new Set(list.split(',').map((value) => value.trim()));
    const isIn = operator === 'in';
    return (labels) => {
      const value = labels[name];
      return value === undefined ? !isIn : values.has(value) === isIn;
    };
  }
  const equality = /^([^\s=!]+)\s*(==|=|!=)\s*([^\s=!]*)$/.exec(requirement);
  if (equality) {
    const [, name = '', operator, value] = equality;
    return operator === '!=' ? (labels) => labels[name] !== value : (labels) => labels[name] === value;
  }
  const existence = /^(!?)\s*([^\s=!()]+)$/.exec(requirement);
  if (!existence) throw new RangeError(`unable to parse requirement: ${requirement}`);
  const [, not, name = ''] = existence;
  return (labels) => name in labels !== (not === '!');
}

function fieldTest(selector: string, selectable: readonly string[], isCustom: boolean): Matches | undefined {
  const tests = selector
    .split(',')
    .filter((each) => each !== '')
    .map((requirement): Matches => {
      const [, field = '', operator, value = ''] = /^([^=!]+)(==|=|!=)(.*)$/.exec(requirement) ?? [];
      if (operator === undefined)
        throw new RangeError(`invalid selector: '${selector}'; can't understand '${requirement}'`);
      if (!selectable.includes(field)) {
        const known = selectable.map((each) => `"${each}"`).join(', ');
        throw new RangeError(
          isCustom ? `field label not supported: ${field}` : `"${field}" is not a known field selector: only ${known}`,
        );
      }
      const path = field.split('.');
      return (object) => (valueAt(object, path) === value) === (operator !== '!=');
    });
  if (tests.length <= 1) return tests[0];
  return (object) => tests.every((test) => test(object));
}

/** An absent field counts as the empty string. */
function valueAt(object: KubeObject, path: readonly string[]): string {
  let value: unknown = object;
  for (const field of path) value = isRecord(value) ? value[field] : undefined;
  return typeof value === 'string' ? value : '';
}
