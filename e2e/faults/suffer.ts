import assert from 'node:assert/strict';
import { waitFor } from '../harness/index.ts';
import type { Condition } from '../ring/federation.ts';
import { type Bed, type Member, members, timeoutMs } from './bed.ts';
import type { Row } from './table.ts';

/** What healthy regions may take longer for an edit while another one has a fault, before that counts as harm. */
const slower = { times: 4, byMs: 250 } as const;

/** One fault: how it begins, what the status has to say of it, how it ends. */
export interface Fault {
  readonly name: string;
  /** The region that has it. */
  readonly region: Member;
  readonly begin: () => Promise<void> | void;
  readonly end: () => Promise<void> | void;
  /** What has to be said of that region, of Reachable unless told otherwise; undefined: that it is reachable all the time. */
  readonly says?: { readonly type?: string; readonly status: string; readonly reason: string };
  /** Whether an edit gets through to that region while the fault lasts; default false. */
  readonly letsThrough?: boolean;
}

/**
 * Begins a fault, and asserts that the other regions do not notice, that the status says what is so, that once it is
 * over all comes right with the same controller, and that what was edited meanwhile is not lost. Recovery is over when
 * the region has that edit, and the controller hears again what happens in the region.
 */
export async function suffer(bed: Bed, fault: Fault): Promise<Row> {
  const { name, region, begin, end, says, letsThrough = false } = fault;
  const healthy = members.filter((each) => each !== region);
  await bed.untilCalm();
  const beforeMs = await bed.latencyOfEdits(healthy);
  const since = Date.now();
  await begin();
  const { controller } = bed;
  let duringMs: number;
  let said: Condition | undefined;
  let last: string;
  try {
    duringMs = await bed.latencyOfEdits(healthy);
    if (says) said = await untilSaid(bed, region, says);
    last = await bed.edit();
    await bed.untilArrived(last, letsThrough ? members : healthy);
    if (!letsThrough) assert.notEqual(await bed.arrivedIn(region), last, `${name}: there is no fault`);
    if (!says) await assertReachableSince(bed, region, since);
  } finally {
    await end();
  }
  const ended = performance.now();
  await bed.untilArrived(last, members);
  await bed.untilMended(region);
  const recoveryMs = performance.now() - ended;
  assert.ok(controller.running && controller === bed.controller, 'it is the same controller');
  const row = { fault: name, beforeMs, duringMs, recoveryMs, says: said ? told(said) : 'Reachable' };
  bed.rows.push(row);
  assert.ok(
    duringMs <= beforeMs * slower.times + slower.byMs,
    `${name}: an edit took ${Math.round(duringMs)} ms in healthy regions, ${Math.round(beforeMs)} ms before`,
  );
  return row;
}

/** A condition in the words of the table. */
export function told({ type, status, reason }: Condition): string {
  return `${type}=${status}, ${reason}`;
}

function untilSaid(bed: Bed, region: string, says: NonNullable<Fault['says']>): Promise<Condition> {
  const { type = 'Reachable', status, reason } = says;
  return waitFor(
    async () => {
      const found = await bed.federation.condition(type, region);
      if (found?.status === status && found.reason === reason) return found;
      throw new Error(JSON.stringify(found));
    },
    { what: `region ${region} to be said to be ${type}=${status}, ${reason}`, timeoutMs },
  );
}

/** @param since Unix milliseconds */
async function assertReachableSince(bed: Bed, region: string, since: number): Promise<void> {
  const found = await bed.federation.condition('Reachable', region);
  assert.equal(found?.status, 'True', JSON.stringify(found));
  const { lastTransitionTime } = found as Condition & { lastTransitionTime: string };
  assert.ok(Date.parse(lastTransitionTime) < since, `${region} was said to be away: ${lastTransitionTime}`);
}
