import { at, type JsonObject } from '../api/json.ts';
import { mergePatch, parsePointer } from '../api/merge.ts';
import type { Change } from '../operators/operator.ts';
import { inWords } from './adoption.ts';
import { memberChanges } from './changes.ts';
import type { PlanContext } from './context.ts';
import type { Obstacle } from './gates.ts';
import type { MemberPicture } from './picture.ts';

/** What keeps a member of an earlier MultiCassandraCluster from being adopted: all that does more than nothing to its pods. */
export function adoptionDifferences(context: PlanContext, picture: MemberPicture): Change[] {
  return memberChanges(context, picture).filter(({ kind }) => kind !== 'benign');
}

/** A member of an earlier MultiCassandraCluster that is not what the spec asks for waits for a person; the other regions go on. */
export function differingObstacle(context: PlanContext, picture: MemberPicture): Obstacle | undefined {
  const { ownership, bookkeeping } = picture.member;
  // Of those that nobody of ours has written adoption.ts tells.
  if (ownership !== 'adoptable' || bookkeeping.owner === undefined) return undefined;
  const changes = adoptionDifferences(context, picture);
  if (changes.length === 0) return undefined;
  const { name: region } = picture.region;
  const message =
    `the member of region ${region} belongs to an earlier MultiCassandraCluster of this name and differs from the spec, so it is not adopted: ` +
    `${howToMatch(context, picture, changes)}. It is adopted then, without a restart; what you want instead of it goes through the regions after that`;
  return { stalled: true, reason: 'Drifted', region, isLocal: true, message };
}

/** What to write into the spec so that it asks for what the member has, as a clause. */
export function howToMatch({ snapshot }: PlanContext, { region }: MemberPicture, changes: readonly Change[]): string {
  const { name } = region;
  const patched = snapshot.mcc.spec.regions.find((each) => each.name === name)?.patch?.spec ?? {};
  let patch: JsonObject = {};
  const removed: string[] = [];
  const sentences: string[] = [];
  for (const { path, from, to } of changes) {
    const [root, ...tokens] = parsePointer(path) ?? [];
    if (root !== 'spec' || tokens[0] === 'topology') {
      sentences.push(`let the spec ask for ${inWords(from)} in place of ${inWords(to)} at ${path} of the member`);
    } else if (from !== undefined && from !== '') {
      patch = mergePatch(patch, nested(tokens, from));
    } else if (at(patched, tokens) !== undefined) {
      sentences.push(`take ${tokens.join('.')} out of spec.regions[${name}].patch.spec`);
    } else removed.push(path);
  }
  return [
    ...(Object.keys(patch).length > 0
      ? [`put ${JSON.stringify({ spec: patch })} into spec.regions[${name}].patch`]
      : []),
    ...removed.map((path) => `add ${path} to spec.regions[${name}].remove`),
    ...sentences,
  ].join('; ');
}

function nested(tokens: readonly string[], value: unknown): JsonObject {
  return tokens.reduceRight<unknown>((inner, token) => ({ [token]: inner }), value) as JsonObject;
}
