/**
 * Listens on port 8778 of each given address: `impostor-process.ts ANSWER_FILE ADDRESS...`. Whoever asks gets what the
 * file holds at that moment, byte for byte; of an empty file they get nothing, on a connection that stays open.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const jolokiaPort = 8778;
const [answerFile = '', ...addresses] = process.argv.slice(2);

for (const address of addresses) {
  createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', () => {
      const answer = readFileSync(answerFile, 'utf8');
      if (answer !== '') socket.end(answer);
    });
  }).listen(jolokiaPort, address);
}
