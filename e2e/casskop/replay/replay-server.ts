import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import { sleep, type Clock } from '../../../src/edges/clock.ts';
import { resources, type KubeObject, type ResourceType } from '../../../src/kube/objects.ts';
import { casskop } from '../../../src/operators/casskop/casskop.ts';
import type { ApiObject } from '../../harness/api-server.ts';
import { CasskopApi } from '../../sim/api/casskop-api.ts';
import { simResources } from '../../sim/api/resources.ts';
import { MemoryApiServer } from '../../sim/api/server.ts';
import { copyJson } from '../json.ts';

/** A change of one object, and who made it. */
export interface Change {
  plural: string;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: ApiObject;
  manager: string;
}

const operator = 'casskop';
const definition = new URL('../crds/cassandraclusters.yaml', import.meta.url);
const types: ResourceType[] = [casskop.member, ...Object.values(resources), ...Object.values(simResources)];

/**
 * The API server of a replay, as the operator asks it: every call takes `callMs` milliseconds of `clock`. Whatever
 * others do to its objects is done from outside, without taking time.
 */
export class ReplayServer extends CasskopApi {
  readonly #server: MemoryApiServer;

  constructor(clock: Clock, callMs: number) {
    let uids = 0;
    const uid = (): string => `00000000-0000-4000-8000-${String(++uids).padStart(12, '0')}`;
    const server = new MemoryApiServer({ name: 'replay', clock, uid });
    super({ server, user: operator, delay: (signal) => sleep(clock, callMs, signal) });
    this.#server = server;
    server.restore(resources.namespaces, { metadata: { name: 'cass' } }, 'past');
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    server.handle({ method: 'POST', path, body: parse(readFileSync(definition, 'utf8')), user: 'past' });
  }

  /** Called with every change, in order. */
  onChange(listener: (change: Change) => void): void {
    this.#server.onChange(({ resource, type, object, user }) =>
      listener({ plural: resource.plural, type, object: copyJson(object) as ApiObject, manager: user }),
    );
  }

  /** Puts an object there as `manager`, whole, status and all. */
  set(collection: string, object: ApiObject, manager: string): void {
    const before = this.peek(collection, object.metadata.name);
    const generation = before?.metadata.generation ?? object.metadata.generation ?? 1;
    const isSame = !before || isDeepStrictEqual(before['spec'], object['spec']);
    const metadata = { namespace: 'cass', ...object.metadata, generation: isSame ? generation : generation + 1 };
    this.#server.restore(typeOf(collection), copyJson({ ...object, metadata }) as KubeObject, manager);
  }

  /** The stored object, for `set` or to look at. */
  peek(collection: string, name: string): ApiObject | undefined {
    return copyJson(this.#server.find(typeOf(collection), 'cass', name)) as ApiObject | undefined;
  }

  /** The names of the objects in a collection. */
  names(collection: string): string[] {
    return [...this.#server.all(typeOf(collection), 'cass')].map(({ metadata }) => metadata.name);
  }

  /** Takes an object away at once, whatever its finalizers. */
  drop(collection: string, name: string, manager: string): void {
    const path = `${collection}/${name}`;
    const contentType = 'application/merge-patch+json';
    this.#server.handle({
      method: 'PATCH',
      path,
      contentType,
      body: { metadata: { finalizers: null } },
      user: manager,
    });
    this.#server.handle({ method: 'DELETE', path, body: { gracePeriodSeconds: 0 }, user: manager });
  }
}

function typeOf(collection: string): ResourceType {
  const found = types.find(({ plural }) => collection.endsWith(`/${plural}`));
  if (!found) throw new RangeError(`no such collection: ${collection}`);
  return found;
}
