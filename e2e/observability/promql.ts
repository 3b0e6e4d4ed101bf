/** What a PromQL expression refers to: metrics by name, and for each the labels that its selectors name. */
export interface References {
  readonly metrics: ReadonlyMap<string, ReadonlySet<string>>;
  /** Labels that results are grouped or matched by. */
  readonly labels: ReadonlySet<string>;
}

const functions = new Set(
  (
    'abs absent changes clamp_max clamp_min delta histogram_quantile increase irate label_replace max_over_time ' +
    'min_over_time avg_over_time rate round time vector avg bottomk count max min quantile sum topk'
  ).split(' '),
);
const operators = new Set(['and', 'or', 'unless', 'bool', 'offset']);
const groupings = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
const token =
  /\s+|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[a-zA-Z_:][\w:]*|\$\w+|\d[\d.eE]*[smhdwy]*|[=!]~|[!=<>]=|[-+*/%^<>=(){}[\],]/y;

/**
 * Reads an expression as far as names go.
 * @throws Error for what is not PromQL: an unknown character or function, or brackets that do not match.
 */
export function referencesOf(expression: string): References {
  const tokens = tokensOf(expression);
  const metrics = new Map<string, Set<string>>();
  const labels = new Set<string>();
  const open: string[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const word = tokens[at] ?? '';
    const next = tokens[at + 1];
    if ('([{'.includes(word)) open.push(word);
    else if (')]}'.includes(word)) {
      if (open.pop() !== { ')': '(', ']': '[', '}': '{' }[word])
        throw new Error(`${word} closes nothing: ${expression}`);
    } else if (groupings.has(word)) {
      if (next !== '(') continue;
      for (at += 2; tokens[at] !== ')' && at < tokens.length; at++)
        if (tokens[at] !== ',') labels.add(tokens[at] ?? '');
    } else if (/^[a-zA-Z_:]/.test(word) && !operators.has(word)) {
      if (functions.has(word)) continue;
      if (next === '(') throw new Error(`${word} is no function: ${expression}`);
      const named = metrics.get(word) ?? new Set<string>();
      metrics.set(word, named);
      if (next !== '{') continue;
      for (at += 2; tokens[at] !== '}'; at++) {
        if (at >= tokens.length) throw new Error(`{ is not closed: ${expression}`);
        if (/^[=!]/.test(tokens[at + 1] ?? '')) named.add(tokens[at] ?? '');
      }
    }
  }
  if (open.length > 0) throw new Error(`${open.join('')} is not closed: ${expression}`);
  return { metrics, labels };
}

function tokensOf(expression: string): string[] {
  const tokens: string[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < expression.length) {
    const at = token.lastIndex;
    const [found] = token.exec(expression) ?? [];
    if (found === undefined) throw new Error(`not PromQL at ${expression.slice(at)}`);
    if (found.trim() !== '') tokens.push(found);
  }
  return tokens;
}
