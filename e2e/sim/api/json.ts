import type { WatchEvent } from '../../../src/kube/client.ts';
import { isRecord } from './values.ts';

const texts = new WeakMap<object, string>();

/**
 * The JSON text of an answer's body. The text of an object, and of each item of a list, is made once and kept as long
 * as the object. A string stays as it is: it stands for a plain text answer.
 */
export function jsonOf(body: unknown): string {
  if (typeof body === 'string') return body;
  if (typeof body !== 'object' || body === null) return JSON.stringify(body);
  const known = texts.get(body);
  if (known !== undefined) return known;
  const text = isList(body) ? listText(body) : JSON.stringify(body);
  texts.set(body, text);
  return text;
}

/** The line that stands for an event in a watch's stream, with its line feed. */
export function eventLineOf(event: WatchEvent): string {
  return `{"type":"${event.type}","object":${jsonOf(event.object)}}\n`;
}

interface List {
  kind: string;
  apiVersion: string;
  metadata: object;
  items: readonly object[];
}

/** Lists of this server have no other members than these. */
function isList(body: object): body is List {
  return 'items' in body && Array.isArray(body.items) && 'kind' in body && isRecord(body);
}

function listText({ kind, apiVersion, metadata, items }: List): string {
  const head = JSON.stringify({ kind, apiVersion, metadata }).slice(0, -1);
  return `${head},"items":[${items.map(jsonOf).join(',')}]}`;
}
