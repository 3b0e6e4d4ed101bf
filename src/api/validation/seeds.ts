import { addressVariables, unknownVariables } from '../address.ts';
import { type EffectiveFederation, podAddress, podsOf } from '../effective.ts';
import { invalid, type Problem } from '../problem.ts';
import type { MultiCassandraCluster } from '../schema.ts';
import { closest } from '../suggest.ts';

const path = ['spec', 'seeds', 'address'];
/** RFC 1123: labels of at most 63 characters, 253 in all. */
const dnsName = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/;

/** Whether seeds.address gives every node that may be a seed a name of its own that DNS can hold. */
export function validateSeeds(mcc: MultiCassandraCluster, federation: EffectiveFederation): Problem[] {
  const { address } = mcc.spec.seeds;
  if (address === undefined) {
    if (federation.regions.length < 2) return [];
    return [
      invalid(
        path,
        'With more than one region, nodes must find each other by names that resolve in every region. Set seeds.address, such as {pod}.{region}.db.example.net.',
      ),
    ];
  }
  const problems = [...syntaxProblems(address)];
  return problems.length > 0 ? problems : addressProblems(federation);
}

function* syntaxProblems(address: string): Generator<Problem> {
  for (const name of unknownVariables(address)) {
    const near = closest(name, addressVariables);
    const variables = addressVariables.map((variable) => `{${variable}}`).join(' ');
    yield invalid(
      path,
      `{${name}} is not a variable.${near ? ` Did you mean {${near}}?` : ''} There are ${variables}.`,
    );
  }
  if (!address.includes('{pod}')) {
    yield invalid(path, 'The address must contain {pod}: without it several nodes have the same address.');
  }
  if (address.includes(',')) {
    yield invalid(
      path,
      'The address must not contain a comma: seeds are joined with commas. Write the address of one node.',
    );
  }
}

/** Pod names are unique in the ring, so what contains {pod} is unique too; it only has to be a name that DNS can hold. */
function addressProblems(federation: EffectiveFederation): Problem[] {
  for (const region of federation.regions) {
    for (const rack of region.racks) {
      const [pod = ''] = podsOf(federation.clusterName, rack, 1);
      const address = podAddress(federation, region, rack, pod);
      if (!dnsName.test(address)) {
        return [
          invalid(
            path,
            `For pod ${pod} of region ${region.name} this gives ${JSON.stringify(address)}, which is not a DNS name: parts of lower-case letters, digits and ` +
              '"-", at most 63 characters each and 253 in all, with dots between them.',
          ),
        ];
      }
    }
  }
  return [];
}
