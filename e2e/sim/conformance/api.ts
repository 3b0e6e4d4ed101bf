import { after, before } from 'node:test';
import { registerApplyTests } from './api-apply.ts';
import { registerDefinitionTests } from './api-definitions.ts';
import { registerDeletionTests } from './api-deletion.ts';
import { Client, definitions, paths } from './api-fixtures.ts';
import { registerReadTests } from './api-reads.ts';
import { registerSequenceTests } from './api-sequences.ts';
import type { ApiSubject } from './api-subject.ts';
import { registerWatchTests } from './api-watches.ts';
import { registerWriteTests } from './api-writes.ts';
import { eventually } from '../../api/gadgets.ts';

/** A server to be tested, and how to be rid of it. */
export interface StartedSubject {
  subject: ApiSubject;
  stop(): Promise<void>;
}

/**
 * Registers the tests of what an API server does, as far as the federation relies on it. They run against a real
 * kube-apiserver and against the one in memory, and pass for both.
 */
export function testApiServer(start: () => Promise<StartedSubject>): void {
  let started: StartedSubject | undefined;
  let client: Client | undefined;
  before(async () => {
    started = await start();
    client = new Client(started.subject);
    await installDefinitions(client);
  });
  after(() => started?.stop());
  const get = (): Client => {
    if (!client) throw new Error('the server has not been started');
    return client;
  };
  registerWriteTests(get);
  registerApplyTests(get);
  registerDeletionTests(get);
  registerReadTests(get);
  registerWatchTests(get);
  registerDefinitionTests(get);
  registerSequenceTests(get);
}

/** Installs the kinds of the federation, and waits until they are served. */
export async function installDefinitions(client: Client): Promise<void> {
  for (const definition of definitions()) await client.post(paths.definitions, definition);
  for (const path of [paths.members, paths.federations]) {
    await eventually(`${path} is served`, async () => (await client.send('GET', path)).status === 200);
  }
}
