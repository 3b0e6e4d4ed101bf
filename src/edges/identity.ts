import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

/** A name for this run of this process that no other one has, in the form of client-go's: `<host>_<uuid>`. */
export function processIdentity(): string {
  return `${hostname()}_${randomUUID()}`;
}
