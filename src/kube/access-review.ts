import { type Clock, withDeadline } from '../edges/clock.ts';
import type { Transport } from '../edges/transport.ts';
import { type Call, failure, parse, refusal } from './answers.ts';
import { readText } from './body.ts';

/** A right that is asked about: RBAC's verb on a resource, with its subresource as in `serviceaccounts/token`. */
export interface Right {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
}

const answerLimitBytes = 1024 * 1024;
const deadlineMs = 15_000;

/**
 * Asks a cluster whether `user` may do this, or whoever the connection belongs to. Nothing is done by it.
 * @throws KubeError when the cluster does not answer, or does not tell.
 */
export async function isAllowed(
  transport: Transport,
  { verb, group, resource, namespace, name }: Right,
  clock: Clock,
  signal: AbortSignal,
  user?: string,
): Promise<boolean> {
  const [plural = '', subresource] = resource.split('/');
  const kind = user === undefined ? 'SelfSubjectAccessReview' : 'SubjectAccessReview';
  const resourceAttributes = {
    verb,
    group,
    resource: plural,
    ...(subresource !== undefined && { subresource }),
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
  };
  const call: Call = {
    method: 'POST',
    path: `/apis/authorization.k8s.io/v1/${kind.toLowerCase()}s`,
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind,
      spec: { resourceAttributes, ...(user !== undefined && { user }) },
    },
  };
  using deadline = withDeadline(clock, deadlineMs, signal);
  try {
    const headers = { accept: 'application/json', 'content-type': 'application/json' };
    const request = { method: call.method, path: call.path, headers, body: JSON.stringify(call.body) };
    const response = await transport.send(request, deadline.signal);
    const answer = {
      status: response.status,
      headers: response.headers,
      text: await readText(response.body, answerLimitBytes),
    };
    if (answer.status < 200 || answer.status > 299) throw refusal(call, answer, clock);
    return (parse(call, answer.text) as { status?: { allowed?: unknown } }).status?.allowed === true;
  } catch (error) {
    throw failure(call, error, signal);
  }
}
