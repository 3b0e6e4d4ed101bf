import { request } from 'undici';

const probeTimeoutMs = 4_000;

/**
 * CassKop's readiness probe: the node's own address is among LiveNodes of its Jolokia. Never throws; a node that does
 * not answer is not ready.
 */
export async function isReady(
  address: string,
  credentials: { user: string; password: string } | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  const login = credentials && Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64');
  try {
    const { body, statusCode } = await request(
      `http://${address}:8778/jolokia/read/org.apache.cassandra.db:type=StorageService/LiveNodes`,
      {
        headers: login === undefined ? {} : { authorization: `Basic ${login}` },
        signal: AbortSignal.any([signal, AbortSignal.timeout(probeTimeoutMs)]),
      },
    );
    const answer = (await body.json()) as { value?: unknown };
    return statusCode === 200 && Array.isArray(answer.value) && answer.value.includes(address);
  } catch {
    return false;
  }
}
