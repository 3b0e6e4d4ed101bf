import type { AddressVariables } from '../../api/address.ts';
import type { JsonObject } from '../../api/json.ts';
import type { FieldPath } from '../../api/problem.ts';
import type { MigrationOptions, Report } from './multi-casskop.ts';

/** A pod that may stand in a list of seeds, with all that its address may be made of. */
export type SeedPod = Omit<AddressVariables, 'service'>;

interface List {
  readonly region: string;
  readonly seeds: readonly string[];
  readonly path: FieldPath;
}

/** What may stand in a seed's domain in the place of which variable, in the order in which they are tried. */
const variables = ['region', 'datacenter', 'namespace', 'rack', 'cluster'] as const;
const place: FieldPath = ['spec', 'base', 'status', 'seedlist'];

/**
 * spec.seeds, told from lists that somebody wrote by hand: the address of every pod is its name and, behind it, what the seeds have there. `hint`
 * is the domain to assume if no seed is one of the pods.
 */
export function addressOf(
  lists: readonly List[],
  pods: readonly SeedPod[],
  { seedsAddress, hint }: MigrationOptions & { hint: string | undefined },
  report: Report,
): JsonObject {
  const all = [...new Set(lists.flatMap(({ seeds }) => seeds))];
  const found = all.flatMap((seed) => {
    const pod = pods.find((each) => seed === each.pod || seed.startsWith(`${each.pod}.`));
    if (!pod) {
      report.note(
        place,
        `${seed} is none of the pods that this makes, such as ${pods[0]?.pod}. A member keeps it until its seeds are rolled out anew.`,
      );
      return [];
    }
    return [{ pod, domain: seed.slice(pod.pod.length) }];
  });
  if (all.length === 0) {
    report.note(
      place,
      'Without a list every CassKop starts its own region with its own seeds, so these are rings of their own. Only one ring is adopted.',
    );
  }
  if (new Set(lists.map(({ seeds }) => [...seeds].sort().join(' '))).size > 1) {
    report.note(
      place,
      'The regions have different seeds. They keep theirs (SeedsCurrent=False, Deferred) until spec.seeds.updatePolicy is Rolling.',
    );
  }
  const bare = [...new Set(pods.map(({ datacenter }) => datacenter))].filter(
    (name) => !found.some(({ pod }) => pod.datacenter === name),
  );
  if (found.length > 0 && bare.length > 0) {
    report.note(
      place,
      `No seed is of datacenter ${bare.join(', ')}. Ringmaster has some in each, and gives them out (SeedsCurrent=False, Deferred) once spec.seeds.updatePolicy is Rolling.`,
    );
  }
  const address = seedsAddress ?? addressIn(found) ?? (hint === undefined ? undefined : `{pod}.${hint}`);
  if (address === undefined) {
    const example = pods[0]?.pod ?? 'POD';
    report.problem(
      place,
      `How the nodes of all regions are reached by name cannot be told from these seeds: each should be the name of a pod and a domain, such as ${example}.db.example.net. Give it with --seeds-address, such as {pod}.db.example.net.`,
    );
    return {};
  }
  if (seedsAddress === undefined && found.length === 0)
    report.note(place, `seeds.address is taken from the annotation for external-dns: ${address}.`);
  const most = Math.max(
    0,
    ...pods.map(({ datacenter }) => found.filter(({ pod }) => pod.datacenter === datacenter).length),
  );
  return { address, ...(most > 0 && most !== 2 && { perDatacenter: Math.min(most, 3) }) };
}

/** The one template that all these are made by; undefined: there is none, or more than two parts of the domain differ. */
function addressIn(found: readonly { pod: SeedPod; domain: string }[]): string | undefined {
  const choices = [
    [],
    ...variables.map((one) => [one]),
    ...variables.flatMap((one) => variables.map((two) => [one, two])),
  ];
  for (const choice of choices) {
    const templates = new Set(found.map(({ pod, domain }) => `{pod}${withVariables(domain, pod, choice)}`));
    const [template] = templates;
    if (templates.size === 1) return template;
  }
  return undefined;
}

function withVariables(domain: string, pod: SeedPod, choice: readonly (typeof variables)[number][]): string {
  return domain
    .split('.')
    .map((label) => {
      const variable = choice.find((each) => pod[each] === label);
      return variable === undefined ? label : `{${variable}}`;
    })
    .join('.');
}
