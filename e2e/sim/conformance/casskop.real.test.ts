import { after, before } from 'node:test';
import { HarnessPlaces } from './casskop-harness.ts';
import { testCasskop } from './casskop.ts';

const isStandIn = process.env['CASSKOP_BIN'] === undefined;

let places: HarnessPlaces | undefined;

before(async () => {
  places = await HarnessPlaces.start();
});
after(() => places?.stop());

testCasskop(
  isStandIn ? 'the CassKop stand-in on a real API server' : 'CassKop itself',
  async () => {
    if (!places) throw new Error('the region has not been started');
    return places.place();
  },
  // CassKop spends its time waiting, the stand-in at its fast pace does not.
  { atOnce: isStandIn ? 6 : 24 },
);
