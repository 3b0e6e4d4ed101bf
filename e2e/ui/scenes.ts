import { serveHealth } from '../../src/runtime/health-server.ts';
import { systemClock } from '../../src/edges/clock.ts';
import { casskop } from '../../src/operators/casskop/casskop.ts';
import type { FederationSight } from '../../src/ui/federation-view.ts';
import { edit, regionOf, sightOf, worldOf } from '../../src/ui/sight.fixture.ts';
import { Site } from '../../src/ui/site.ts';

/** Federations in memory in the states that a page may have to show, by name; the planner has made them so. */
export async function makeScenes(): Promise<Record<SceneName, FederationSight>> {
  const three = ['eu', 'us', 'ap'].map((name) => regionOf(name));
  const twelve = [
    'eu-west eu-north us-east us-west ap-south ap-east',
    'sa-east af-south me-central ca-central jp au',
  ].flatMap((each) => each.split(' '));
  const datacenters = [regionOf('eu', 3, 2), regionOf('analytics', 1)].flatMap((each) => each['datacenters']);

  const forming = await worldOf(three, 7);
  const ready = await worldOf(three);
  const changing = await worldOf(three);
  edit(changing, { regions: three, rollout: { restartToken: 'november' } });
  changing.operatorStatus.set('eu', { lastClusterActionStatus: 'Ongoing' });
  for (let pass = 0; pass < 4; pass++) await changing.step();
  for (const pod of changing.pods) if (pod.name === 'orders-eu-b-0') pod.ready = false;
  await changing.step();
  const message = 'context ap: no answer within 5000 ms';
  const away = await worldOf(three);
  away.unknown.set('ap', { known: false, reason: 'Unreachable', answer: 'Timeout', message });
  for (const pod of away.pods) if (pod.name === 'orders-us-c-0') pod.ready = false;
  await away.step();
  const refused = await worldOf(three);
  edit(refused, { regions: three.slice(0, 2) });
  await refused.step();
  return {
    ready: sightOf(ready),
    forming: sightOf(forming, 'bills'),
    changing: sightOf(changing),
    away: sightOf(away, 'sessions'),
    refused: sightOf(refused, 'profiles'),
    two: sightOf(await worldOf([{ name: 'eu', datacenters }, regionOf('us', 3, 2)]), 'ledger'),
    twelve: sightOf(await worldOf(twelve.map((name) => regionOf(name))), 'catalogue'),
    many: sightOf(await worldOf([...twelve, 'nz', 'za'].map((name) => regionOf(name, 1))), 'metrics'),
    fresh: sightOf(await worldOf(three, 0), 'carts'),
  };
}

export type SceneName = 'ready' | 'forming' | 'changing' | 'away' | 'refused' | 'two' | 'twelve' | 'many' | 'fresh';

/** A server of the page, by the code that serves it from a controller; what it shows can be changed. */
export interface Stage extends AsyncDisposable {
  /** Address of the page. */
  readonly url: string;
  shown: readonly FederationSight[];
}

export async function openStage(shown: readonly FederationSight[]): Promise<Stage> {
  const site = new Site({
    operator: casskop,
    clock: systemClock,
    federations: () => stage.shown,
    leader: () => ({ isThis: true, name: 'ringmaster-6f9d7c5b8-x2k4p' }),
  });
  const server = await serveHealth({
    host: '127.0.0.1',
    port: 0,
    ready: () => true,
    metrics: () => Promise.reject(new Error('there are none')),
    site,
  });
  const stage: Stage = {
    url: `http://127.0.0.1:${server.port}/ui/`,
    shown,
    [Symbol.asyncDispose]: () => server.close(),
  };
  return stage;
}
