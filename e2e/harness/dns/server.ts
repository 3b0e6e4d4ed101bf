import { createSocket } from 'node:dgram';
import { decode, encode, AUTHORITATIVE_ANSWER, type Answer } from 'dns-packet';
import type { Zone } from './zone.ts';

// Response codes: RFC 1035, section 4.1.1.
const serverFailure = 2;
const noSuchName = 3;
const timeToLiveSeconds = 1;

/** Answers A questions for `zone` over UDP until `signal` aborts; resolves when it listens. */
export function serveDns(zone: Zone, address: string, port: number, signal: AbortSignal): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('message', (message, from) => {
    const answer = respond(zone, message);
    if (answer) socket.send(answer, from.port, from.address);
  });
  signal.addEventListener('abort', () => socket.close(), { once: true });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, address, resolve);
  });
}

/** The answer to one packet; undefined when it is no question. */
export function respond(zone: Zone, message: Buffer): Buffer | undefined {
  let query: ReturnType<typeof decode>;
  try {
    query = decode(message);
  } catch {
    return undefined;
  }
  const question = query.questions?.[0];
  if (!question || query.type !== 'query') return undefined;
  const found = zone.lookup(question.name);
  const answers: Answer[] =
    found.kind === 'addresses' && question.type === 'A'
      ? found.addresses.map((data) => ({ type: 'A', name: question.name, ttl: timeToLiveSeconds, data }))
      : [];
  const code = { addresses: 0, unknown: noSuchName, outage: serverFailure }[found.kind];
  // dns-packet takes the response code as the low bits of the flags.
  return Buffer.from(
    encode({
      type: 'response',
      ...(query.id !== undefined && { id: query.id }),
      flags: AUTHORITATIVE_ANSWER | code,
      questions: [question],
      answers,
    }),
  );
}
