import type { Region } from '../harness/index.ts';
import { command } from '../harness/run/command.ts';

/** Makes etcd forget all versions but the present ones, as it does every five minutes on a real cluster. */
export async function compactEtcd(region: Region): Promise<void> {
  // etcd listens on the loopback of the region's own network.
  const script = `
    const call = async (path, body) => {
      const answer = await fetch('http://127.0.0.1:2379' + path, { method: 'POST', body: JSON.stringify(body) });
      if (!answer.ok) throw new Error(await answer.text());
      return answer.json();
    };
    const { header } = await call('/v3/maintenance/status', {});
    await call('/v3/kv/compaction', { revision: header.revision, physical: true });
  `;
  const run = [process.execPath, '--input-type=module', '--eval', script];
  await command('ip', ['netns', 'exec', region.network.namespace, ...run]);
}
