import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { HttpRequest } from '../../src/edges/transport.ts';
import { type LoneApiServer, startLoneApiServer } from '../api/server.ts';
import type { ApiObject } from '../harness/api-server.ts';
import { waitFor } from '../harness/wait-for.ts';

/** An answer with what only the headers tell. */
export interface Answer {
  status: number;
  /** Warning headers; `kubectl` prints them. */
  warnings: string[];
  body: ApiObject & { message?: string };
}

/** A lone API server that serves MultiCassandraClusters from the CRD that is checked in. */
export interface Hub {
  readonly server: LoneApiServer;
  /** What the server said to the CRD. */
  readonly installed: Answer;
  send(request: HttpRequest): Promise<Answer>;
  /** Creates a MultiCassandraCluster, fields it does not know refused. */
  create(object: unknown): Promise<Answer>;
}

export const objectsPath = '/apis/ringmaster.dev/v1alpha1/namespaces/default/multicassandraclusters';
const definitionsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
export const definitionPath = `${definitionsPath}/multicassandraclusters.ringmaster.dev`;

export async function startHub(): Promise<Hub> {
  const server = await startLoneApiServer();
  const send = (request: HttpRequest): Promise<Answer> => sendTo(server, request);
  const crd: unknown = parse(
    readFileSync(new URL('../../crds/ringmaster.dev_multicassandraclusters.yaml', import.meta.url), 'utf8'),
  );
  const installed = await send(jsonRequest('POST', `${definitionsPath}?fieldValidation=Strict`, crd));
  await waitFor(async () => (await send({ method: 'GET', path: objectsPath })).status === 200, {
    what: 'the API server to serve the CRD',
    timeoutMs: 300_000,
  });
  return {
    server,
    installed,
    send,
    create: (object) => send(jsonRequest('POST', `${objectsPath}?fieldValidation=Strict`, object)),
  };
}

export function jsonRequest(method: HttpRequest['method'], path: string, body: unknown): HttpRequest {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  return { method, path, headers: { 'content-type': type }, body: JSON.stringify(body) };
}

async function sendTo(server: LoneApiServer, request: HttpRequest): Promise<Answer> {
  const response = await server.transport.send(request, AbortSignal.timeout(60_000));
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const warning = response.headers['warning'];
  return {
    status: response.status,
    warnings: warning === undefined ? [] : [warning],
    body: JSON.parse(text) as Answer['body'],
  };
}
