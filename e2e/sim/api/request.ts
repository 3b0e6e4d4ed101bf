import type { KubeObject, ResourceType } from '../../../src/kube/objects.ts';

export interface ApiRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query. */
  path: string;
  contentType?: string;
  /** Parsed JSON. It belongs to the server from now on: never change it. */
  body?: unknown;
  /** Who asks: the field manager of writes that name none. Nobody is refused anything for who he is. */
  user: string;
}

export interface ApiResponse {
  status: number;
  /** An object, a list or a Status; a string stands for a plain text answer. Immutable, shared: never change it. */
  body: unknown;
}

export interface ObjectChange {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  resource: ResourceType;
  /** As it is after the change; of a deletion as it was last stored, at the version of the deletion. */
  object: KubeObject;
  previous: KubeObject | undefined;
  user: string;
  /** Absent where the server acts by itself, such as removing the instances of a kind that goes. */
  request: ApiRequest | undefined;
}

/** Whether `answer` is a refusal in place of what was asked for. */
export function isResponse(answer: object): answer is ApiResponse {
  return 'status' in answer && 'body' in answer && typeof answer.status === 'number';
}
