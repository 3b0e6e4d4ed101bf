import { startLoneApiServer } from '../../api/server.ts';
import { realSubject } from './api-subject.ts';
import { testApiServer } from './api.ts';

testApiServer(async () => {
  const server = await startLoneApiServer();
  return { subject: realSubject(server), stop: () => server.stop() };
});
