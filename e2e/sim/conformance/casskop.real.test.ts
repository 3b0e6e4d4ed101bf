import { after, before } from 'node:test';
import { HarnessPlaces } from './casskop-harness.ts';
import { testCasskop } from './casskop.ts';

let places: HarnessPlaces | undefined;

before(async () => {
  places = await HarnessPlaces.start();
});
after(() => places?.stop());

testCasskop(
  process.env['CASSKOP_BIN'] === undefined ? 'the CassKop stand-in on a real API server' : 'CassKop itself',
  async () => {
    if (!places) throw new Error('the region has not been started');
    return places.place();
  },
  { atOnce: 6 },
);
