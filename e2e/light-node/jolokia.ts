/** A JMX bean: what Jolokia can read and call on it. */
export interface MBean {
  attributes: Readonly<Record<string, () => unknown>>;
  operations: Readonly<Record<string, Operation>>;
}

export interface Operation {
  /** Number of arguments; Jolokia refuses any other. */
  arity: number;
  /** @throws JavaError for what the bean itself refuses */
  call(args: readonly unknown[]): unknown;
}

/** An error as Jolokia reports it: inside an HTTP 200, with a status of its own. */
export class JavaError extends Error {
  override readonly name = 'JavaError';
  readonly code = 'JavaError';
  readonly type: string;
  readonly status: number;

  constructor(type: string, message: string, status = 500) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

interface JolokiaRequest {
  type: string;
  mbean?: string;
  attribute?: string | string[];
  operation?: string;
  arguments?: unknown[];
}

/**
 * Answers one request as Jolokia 1.7 in front of Cassandra 5.0.8 does (compared with recorded answers).
 * @param path below `/jolokia/`, as on the wire
 * @param body of a POST: one request or a list of them; undefined for a GET
 */
export async function answerJolokia(
  mbeans: Readonly<Record<string, MBean>>,
  path: string,
  body: string | undefined,
): Promise<string> {
  let requests: JolokiaRequest | JolokiaRequest[];
  try {
    requests = body === undefined ? fromPath(path) : fromBody(body);
  } catch (error) {
    return encode(failure(undefined, error));
  }
  const answers = Array.isArray(requests)
    ? await Promise.all(requests.map((request) => answer(mbeans, request)))
    : await answer(mbeans, requests);
  return encode(answers);
}

async function answer(mbeans: Readonly<Record<string, MBean>>, request: JolokiaRequest): Promise<object> {
  try {
    const value = await handle(mbeans, request);
    return { request, value: value ?? null, timestamp: Math.floor(Date.now() / 1000), status: 200 };
  } catch (error) {
    return failure(request, error);
  }
}

function handle(mbeans: Readonly<Record<string, MBean>>, request: JolokiaRequest): unknown {
  if (request.type === 'version') return { agent: '1.7.1', protocol: '7.2', config: {}, info: {} };
  const name = request.mbean ?? '';
  const mbean = mbeans[name];
  if (!mbean) throw new JavaError('javax.management.InstanceNotFoundException', name, 404);
  if (request.type === 'exec') return execute(name, mbean, request.operation ?? '', request.arguments ?? []);
  const attribute = request.attribute ?? Object.keys(mbean.attributes);
  if (typeof attribute === 'string') return read(mbean, attribute);
  return Object.fromEntries(attribute.map((each) => [each, read(mbean, each)]));
}

function read(mbean: MBean, attribute: string): unknown {
  const get = mbean.attributes[attribute];
  if (!get) throw new JavaError('javax.management.AttributeNotFoundException', `No such attribute: ${attribute}`, 404);
  return get();
}

function execute(name: string, mbean: MBean, operation: string, args: readonly unknown[]): unknown {
  const found = mbean.operations[operation];
  if (!found) throw illegalArgument(`No operation ${operation} found on MBean ${name}`);
  if (args.length !== found.arity) {
    throw illegalArgument(
      `Invalid number of operation arguments. Operation ${operation} on ${name} requires ${found.arity} parameters, not ${args.length} as given`,
    );
  }
  return found.call(args);
}

/** `read/<mbean>[/<attribute>,...]` and `exec/<mbean>/<operation>[/<argument>...]`; `!` escapes a slash. */
function fromPath(path: string): JolokiaRequest {
  const [type = '', mbean, third, ...rest] = decodeURIComponent(path)
    .split(/(?<!!)\//)
    .map((part) => part.replaceAll(/!(.)/g, '$1'));
  if (type === '' || type === 'version') return { type: 'version' };
  if ((type !== 'read' && type !== 'exec') || mbean === undefined) {
    throw illegalArgument(`No type with name '${type}' exists`);
  }
  if (type === 'exec') return { mbean, ...(rest.length > 0 ? { arguments: rest } : {}), type, operation: third ?? '' };
  if (!third) return { mbean, type };
  return { mbean, attribute: third.includes(',') ? third.split(',') : third, type };
}

function fromBody(body: string): JolokiaRequest | JolokiaRequest[] {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw illegalArgument('Invalid JSON request');
  }
  return Array.isArray(value) ? value.map(fromObject) : fromObject(value);
}

function fromObject(value: unknown): JolokiaRequest {
  if (typeof value !== 'object' || value === null) throw illegalArgument('Invalid JSON request');
  const given: Partial<Record<keyof JolokiaRequest, unknown>> = value;
  const type = typeof given.type === 'string' ? given.type.toLowerCase() : '';
  if (!['read', 'exec', 'version'].includes(type)) throw illegalArgument(`No type with name '${type}' exists`);
  const request: JolokiaRequest = { type };
  if (typeof given.mbean === 'string') request.mbean = given.mbean;
  if (typeof given.attribute === 'string') request.attribute = given.attribute;
  if (Array.isArray(given.attribute)) request.attribute = given.attribute.map(String);
  if (typeof given.operation === 'string') request.operation = given.operation;
  if (Array.isArray(given.arguments) && given.arguments.length > 0) request.arguments = given.arguments;
  return request;
}

function illegalArgument(message: string): JavaError {
  return new JavaError('java.lang.IllegalArgumentException', message, 400);
}

function failure(request: JolokiaRequest | undefined, error: unknown): object {
  const thrown = error instanceof JavaError ? error : new JavaError('java.lang.RuntimeException', String(error));
  return {
    ...(request ? { request } : {}),
    stacktrace: `${thrown.type}\n`,
    error_type: thrown.type,
    error: thrown.message === '' ? thrown.type : `${thrown.type} : ${thrown.message}`,
    status: thrown.status,
  };
}

/** Jolokia escapes slashes, which JSON allows and a naive reader stumbles over. */
function encode(value: unknown): string {
  return JSON.stringify(value).replaceAll('/', String.raw`\/`);
}
