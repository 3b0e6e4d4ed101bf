/** A command of a page, and what stands below it as its output. */
export interface Step {
  readonly command: string;
  readonly output: string;
}

const block = /^( *)```console\n(.*?)^ *```$/gms;

/** The commands of all `console` blocks of a Markdown page, in order. A command begins with `$ `, and what it prints follows. */
export function stepsOf(page: string): Step[] {
  return [...page.matchAll(block)].flatMap(([, , body = '']) => split(body));
}

function split(body: string): Step[] {
  return body
    .split(/^(?=\$ )/m)
    .filter((part) => part.startsWith('$ '))
    .map((part) => {
      const [first = '', ...rest] = part.split('\n');
      return { command: first.slice(2), output: rest.join('\n').trim() };
    });
}

/** The page with other outputs, by the order of its commands. */
export function withOutputs(page: string, outputs: readonly string[]): string {
  let next = 0;
  return page.replaceAll(block, (_all, indent: string, body: string) => {
    const steps = split(body).map(({ command }) => {
      const output = (outputs[next++] ?? '').trim();
      return output === '' ? `$ ${command}\n` : `$ ${command}\n${output}\n`;
    });
    return `${indent}\`\`\`console\n${steps.join('\n')}${indent}\`\`\``;
  });
}

/** Without what is printed only where somebody has to wait, or when a watch of client-go ends. */
export function withoutNoise(output: string): string {
  return output.replaceAll(/^(Waiting for deployment |[IWE]\d{4} ).*\n/gm, '');
}

/** What two runs may print in two ways: times, addresses, identifiers, and how wide a column is for them. */
export function withoutAccidents(output: string): string {
  return output
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'UID')
    .replaceAll(/\bringmaster-token-[0-9a-z]{6}\b/g, 'ringmaster-token-ID')
    .replaceAll(/\bringmaster-[0-9a-z]{6,10}-[0-9a-z]{5}_/g, 'ringmaster-POD_')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z|\w{3} \w{3} +\d+ [\d:]+ \d{4}/g, 'TIME')
    .replaceAll(/\d+(\.\d+){3}(:\d+)?/g, 'ADDRESS')
    .replaceAll(/\b(\d+(\.\d+)?(ms|s|m|h|d)(?![a-z]))+/g, 'DURATION')
    .replaceAll(/\b\d+(\.\d+)? (ms|seconds?|s|minutes?|min|hours?|h|days?)\b/g, 'DURATION')
    .replaceAll(/[ \t]+/g, ' ')
    .replaceAll(/ $/gm, '');
}
