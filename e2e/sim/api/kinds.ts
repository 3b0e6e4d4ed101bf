import type { KubeObject, ResourceType } from '../../../src/kube/objects.ts';
import { metadataSchema } from './built-in-schemas.ts';
import { Collection } from './collection.ts';
import type { Target } from './paths.ts';
import { builtInKinds, kindKey, type KindTraits } from './resources.ts';
import { schemaOfCustomKind } from './schema.ts';

interface Definition {
  group: string;
  scope: string;
  names: { kind: string; plural: string };
  versions: {
    name: string;
    served: boolean;
    storage: boolean;
    subresources?: { status?: object };
    schema?: { openAPIV3Schema?: unknown };
    selectableFields?: { jsonPath: string }[];
  }[];
}

const traitsOfDefinitions = new WeakMap<object, KindTraits>();

/** The kinds that are there now. A custom one is there as long as its CustomResourceDefinition. */
export class Kinds {
  readonly #collections = new Map<string, Collection>();
  readonly #window: number;

  constructor(window: number, version: number) {
    this.#window = window;
    for (const { resource, traits } of builtInKinds()) {
      this.#collections.set(kindKey(resource), new Collection(resource, traits, false, window, version));
    }
  }

  find(resource: Pick<ResourceType, 'group' | 'plural'>): Collection | undefined {
    return this.#collections.get(kindKey(resource));
  }

  /** The collection that a path leads to. */
  at({ group, version, plural, namespace, name }: Target): Collection | undefined {
    const collection = this.#collections.get(`${group}/${plural}`);
    if (!collection || collection.resource.version !== version) return undefined;
    const { namespaced } = collection.resource;
    if (namespaced ? namespace === undefined && name !== undefined : namespace !== undefined) return undefined;
    return collection;
  }

  /** Whether anything built in has this group and version. */
  serves({ group, version }: Target): boolean {
    for (const { resource, isCustom } of this.#collections.values()) {
      if (!isCustom && resource.group === group && resource.version === version) return true;
    }
    return false;
  }

  all(): Iterable<Collection> {
    return this.#collections.values();
  }

  /** Follows a definition that was written: the kind is there from now on, as its storage version says. */
  define(definition: KubeObject, version: number): void {
    const spec = definition['spec'] as Definition;
    const stored = spec.versions.find((each) => each.storage && each.served);
    if (!stored) return;
    const resource: ResourceType = {
      group: spec.group,
      version: stored.name,
      plural: spec.names.plural,
      kind: spec.names.kind,
      namespaced: spec.scope === 'Namespaced',
    };
    const traits = traitsOf(stored);
    const known = this.#collections.get(kindKey(resource));
    if (known) known.traits = traits;
    else this.#collections.set(kindKey(resource), new Collection(resource, traits, true, this.#window, version));
  }

  forget(collection: Collection): void {
    this.#collections.delete(kindKey(collection.resource));
  }
}

/** Definitions are the same for hundreds of simulated servers, so what follows from one is kept. */
function traitsOf(version: Definition['versions'][number]): KindTraits {
  let traits = traitsOfDefinitions.get(version);
  if (!traits) {
    traits = {
      schema: schemaOfCustomKind(version.schema?.openAPIV3Schema, metadataSchema),
      status: version.subresources?.status !== undefined,
      generation: true,
      unconditionalUpdate: false,
      selectableFields: (version.selectableFields ?? []).map(({ jsonPath }) => jsonPath.slice(1)),
      answersDeletionWithObject: false,
    };
    traitsOfDefinitions.set(version, traits);
  }
  return traits;
}
