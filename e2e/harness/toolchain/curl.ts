/**
 * Stands in for curl on machines without it: a GET with what the guard script uses of curl's options, and curl's exit
 * codes (2 usage, 6 no such name, 7 no connection, 28 time-out, 52 no answer): curl(1).
 */
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { parseArgs } from 'node:util';

const exitCodes: Readonly<Record<string, number>> = {
  ENOTFOUND: 6,
  EAI_AGAIN: 6,
  ECONNREFUSED: 7,
  EHOSTUNREACH: 7,
  ENETUNREACH: 7,
  ETIMEDOUT: 28,
};

function exit(code: number, message: string): never {
  process.stderr.write(`curl: (${code}) ${message}\n`);
  process.exit(code);
}

/** The login in a configuration file's line `user = "name:password"`, where backslashes escape. */
function loginOf(configuration: string): string | undefined {
  const quoted = /^\s*user\s*=\s*"((?:[^"\\]|\\.)*)"/m.exec(configuration)?.[1];
  return quoted?.replace(/\\(.)/g, '$1');
}

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      version: { type: 'boolean' },
      disable: { type: 'boolean' },
      silent: { type: 'boolean' },
      include: { type: 'boolean' },
      config: { type: 'string' },
      noproxy: { type: 'string' },
      'connect-timeout': { type: 'string' },
      'max-time': { type: 'string' },
    },
  });
  if (values.version) {
    console.log('curl stand-in');
    return;
  }
  const [url] = positionals;
  if (url === undefined) exit(2, 'no URL specified');
  const login = values.config === '-' ? loginOf(readFileSync(0, 'utf8')) : undefined;
  const timeOut = (): never => exit(28, 'timed out');
  if (values['max-time']) setTimeout(timeOut, Number(values['max-time']) * 1000).unref();
  const connecting = values['connect-timeout'] && setTimeout(timeOut, Number(values['connect-timeout']) * 1000);
  const outgoing = request(url, { family: 4, agent: false, ...(login !== undefined && { auth: login }) }, (answer) => {
    if (values.include) {
      const headers = [];
      for (let index = 0; index < answer.rawHeaders.length; index += 2)
        headers.push(`${answer.rawHeaders[index]}: ${answer.rawHeaders[index + 1]}\r\n`);
      const status = `HTTP/${answer.httpVersion} ${answer.statusCode} ${answer.statusMessage}\r\n`;
      process.stdout.write(`${status}${headers.join('')}\r\n`);
    }
    answer.pipe(process.stdout);
    answer.once('error', () => exit(18, 'the answer ended early'));
  });
  outgoing.once('socket', (socket) => socket.once('connect', () => clearTimeout(connecting || undefined)));
  outgoing.once('error', (error: NodeJS.ErrnoException) => exit(exitCodes[error.code ?? ''] ?? 52, error.message));
  outgoing.end();
}

try {
  main();
} catch (error) {
  exit(2, (error as Error).message);
}
