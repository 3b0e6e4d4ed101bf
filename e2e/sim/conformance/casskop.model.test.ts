import { SimulatedPlace } from './casskop-memory.ts';
import { testCasskop } from './casskop.ts';

testCasskop('CassKop in a simulated region', () => Promise.resolve(new SimulatedPlace()), { atOnce: 1 });
