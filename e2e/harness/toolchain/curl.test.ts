import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';

const program = join(import.meta.dirname, 'curl.ts');
const always = ['--disable', '--config', '-', '--silent', '--include', '--noproxy', '*'];

function curl(args: readonly string[], input = ''): Promise<{ code: number; stdout: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program, ...args], (error, stdout) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout });
    });
    child.stdin?.end(input);
  });
}

test('the stand-in for curl prints the head and the body, and takes the login from its configuration', async () => {
  const server = createServer((incoming, answer) => {
    const login = Buffer.from(incoming.headers.authorization?.slice('Basic '.length) ?? '', 'base64').toString();
    answer.writeHead(login === 'me:a"b\\c' ? 200 : 401, { 'content-type': 'text/plain' }).end(`you are ${login}`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jolokia/read/a:type=b/c,d`;
  try {
    const known = await curl([...always, url], 'user = "me:a\\"b\\\\c"\n');
    assert.equal(known.code, 0);
    assert.match(known.stdout, /^HTTP\/1\.1 200 OK\r\ncontent-type: text\/plain\r\n[^]*\r\n\r\nyou are me:a"b\\c$/);
    const unknown = await curl([...always, url]);
    assert.equal(unknown.code, 0);
    assert.match(unknown.stdout, /^HTTP\/1\.1 401 /);
  } finally {
    server.close();
  }
});

test('the stand-in for curl fails with the exit codes of curl', async () => {
  const silent = createTcpServer(() => undefined).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  try {
    assert.equal((await curl([...always, '--max-time', '1', `http://127.0.0.1:${port}/`])).code, 28);
  } finally {
    silent.close();
  }
  assert.equal((await curl([...always, `http://127.0.0.1:1/`])).code, 7);
  assert.equal((await curl([...always, 'http://nobody.invalid/'])).code, 6);
  assert.equal((await curl([...always])).code, 2);
  assert.equal((await curl(['--unknown-option', 'http://127.0.0.1:1/'])).code, 2);
});
