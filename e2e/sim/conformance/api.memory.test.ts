import { VirtualClock } from '../../../src/edges/testing.ts';
import { MemoryApiServer } from '../api/server.ts';
import { memorySubject, type ApiSubject } from './api-subject.ts';
import { testApiServer } from './api.ts';

/** A server in memory whose uids count up. */
export function startMemory(): ApiSubject {
  let count = 0;
  const uid = (): string => `00000000-0000-4000-8000-${String(++count).padStart(12, '0')}`;
  return memorySubject(new MemoryApiServer({ name: 'memory', clock: new VirtualClock(), uid }));
}

testApiServer(() => Promise.resolve({ subject: startMemory(), stop: () => Promise.resolve() }));
