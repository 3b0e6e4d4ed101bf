/** What the text format of Prometheus says of one metric: prometheus.io/docs/instrumenting/exposition_formats. */
interface Family {
  readonly name: string;
  help: string | undefined;
  type: string | undefined;
}

/** Units that are to be given in their base: what promtool calls a non-base unit. */
const otherUnits =
  /_(?:milliseconds|microseconds|nanoseconds|ms|minutes|hours|days|kilobytes|megabytes|percent)(?:_|$)/;
const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\.)*",?)*\})? (\S+)$/;

/**
 * What is wrong with a page of metrics by the rules of `promtool check metrics`: syntax, help and type before the
 * samples, no metric twice, names that say what they are. For machines without promtool.
 */
export function problemsOf(page: string): string[] {
  const families = new Map<string, Family>();
  const problems: string[] = [];
  const seen = new Set<string>();
  const family = (name: string): Family => {
    let found = families.get(name);
    if (!found) families.set(name, (found = { name, help: undefined, type: undefined }));
    return found;
  };
  for (const line of page.split('\n').filter((each) => each !== '')) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? [];
    if (kind === 'HELP') family(name).help = rest;
    else if (kind === 'TYPE') family(name).type = rest;
    else if (!line.startsWith('#')) {
      const [, metric = '', labels = '', value = ''] = sample.exec(line) ?? [];
      if (metric === '' || !/^(?:[+-]?inf|nan|[-+0-9.e]+)$/i.test(value)) problems.push(`not a sample: ${line}`);
      if (seen.has(metric + labels)) problems.push(`twice: ${metric}${labels}`);
      seen.add(metric + labels);
      const base = metric.replace(/_(?:bucket|sum|count)$/, '');
      const owner = families.get(metric) ?? families.get(base);
      if (!owner?.type) problems.push(`${metric}: no type before its samples`);
    }
  }
  return [...problems, ...[...families.values()].flatMap(problemsOfFamily)];
}

function problemsOfFamily({ name, help, type }: Family): string[] {
  const isCounter = type === 'counter';
  return [
    ...(help ? [] : [`${name}: no help`]),
    ...(type && type !== 'untyped' ? [] : [`${name}: no type`]),
    ...(isCounter && !name.endsWith('_total') ? [`${name}: a counter ends in _total`] : []),
    ...(!isCounter && name.endsWith('_total') ? [`${name}: only a counter ends in _total`] : []),
    ...(/_(?:count|sum|bucket)$/.test(name) ? [`${name}: a suffix that histograms have`] : []),
    ...(otherUnits.test(name) ? [`${name}: not the base unit`] : []),
    ...(/[A-Z]/.test(name) ? [`${name}: not snake_case`] : []),
  ];
}
