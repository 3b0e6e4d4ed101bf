import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { answerJolokia, type MBean } from './jolokia.ts';
import type { LightNode } from './light-node.ts';

/** The node's one port: Jolokia for operators and guards, gossip for the other nodes. Not listening yet. */
export function createNodeServer(node: LightNode, mbeans: Readonly<Record<string, MBean>>): Server {
  return createServer((request, response) => {
    void handle(node, mbeans, request, response).catch((error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      response.destroy();
    });
  });
}

async function handle(
  node: LightNode,
  mbeans: Readonly<Record<string, MBean>>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = new URL(request.url ?? '/', 'http://node').pathname;
  const body = request.method === 'POST' ? await textOf(request) : undefined;
  if (path === '/gossip' && body !== undefined) {
    const answer = node.receive(body);
    response.writeHead(answer ? 200 : 503, { 'content-type': 'application/json' });
    response.end(answer ? JSON.stringify(answer) : '');
  } else if (path.startsWith('/jolokia/')) {
    const answer = await answerJolokia(mbeans, path.slice('/jolokia/'.length), body);
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache' });
    response.end(answer);
  } else {
    response.writeHead(404, { 'content-type': 'text/html' });
    response.end('<h1>404 Not Found</h1>No context found for request');
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  request.setEncoding('utf8');
  for await (const chunk of request) text += String(chunk);
  return text;
}
