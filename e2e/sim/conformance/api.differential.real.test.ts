import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { startLoneApiServer, type LoneApiServer } from '../../api/server.ts';
import { VirtualClock } from '../../../src/edges/testing.ts';
import { MemoryApiServer } from '../api/server.ts';
import { Client } from './api-fixtures.ts';
import { masked } from './api-masks.ts';
import { play } from './api-play.ts';
import { randomKinds, steps } from './api-random.ts';
import { isAnswer, memorySubject, realSubject, type Answer, type ApiSubject } from './api-subject.ts';
import { installDefinitions } from './api.ts';

/** `SEED=7 RUNS=1000 node --test ...` for other sequences, and more of them. */
const seed = Number(process.env['SEED'] ?? 1);
const runsPerKind = Number(process.env['RUNS'] ?? 70);

let server: LoneApiServer;
let real: ApiSubject;
let memory: ApiSubject;
let count = 0;

before(async () => {
  server = await startLoneApiServer();
  real = realSubject(server);
  let uids = 0;
  const uid = (): string => `00000000-0000-4000-8000-${String(++uids).padStart(12, '0')}`;
  memory = memorySubject(new MemoryApiServer({ name: 'memory', clock: new VirtualClock(), uid, watchWindow: 100_000 }));
  for (const subject of [real, memory]) await installDefinitions(new Client(subject));
});
after(() => server?.stop());

/** What a watch from `version` hears of the objects whose names begin with `prefix`, up to the object `last`. */
async function heard(
  subject: ApiSubject,
  collection: string,
  version: string,
  prefix: string,
  last: string,
): Promise<Answer[]> {
  const watch = await subject.watch(`${collection}?watch=true&resourceVersion=${version}`);
  assert.ok(!isAnswer(watch));
  const events: Answer[] = [];
  for (;;) {
    const event = await watch.next();
    assert.ok(event, 'the watch has ended');
    const { name } = (event.object as { metadata: { name: string } }).metadata;
    if (name === last) break;
    if (name.startsWith(prefix)) events.push({ status: 200, body: event });
  }
  watch.close();
  return events;
}

for (const kind of randomKinds) {
  test(`random requests get the same answers and events from both servers: ${kind.collection.split('/').at(-1)}`, async () => {
    await fc.assert(
      fc.asyncProperty(steps(kind), async (sequence) => {
        const prefix = `r${++count}-`;
        const [names, last] = [[`${prefix}0`, `${prefix}1`], `${prefix}last`];
        const outcomes = [];
        for (const subject of [real, memory]) {
          const { resourceVersion } = (await new Client(subject).list(`${kind.collection}?limit=1`)).metadata;
          const answers = await play(subject, kind, names, sequence);
          await new Client(subject).post(kind.collection, kind.make(last, {}));
          answers.push(...(await heard(subject, kind.collection, resourceVersion, prefix, last)));
          outcomes.push(masked(answers));
        }
        assert.deepEqual(outcomes[1], outcomes[0], 'memory (actual) and real (expected) differ');
      }),
      { seed, numRuns: runsPerKind },
    );
  });
}
