import { systemClock, sleep } from '../../src/edges/clock.ts';
import type { KubeObject, ResourceType } from '../../src/kube/objects.ts';
import { ApiError, type ApiServer } from '../harness/api-server.ts';

/** A custom resource of the tests: a status subresource, typed fields, and one subtree that keeps what it does not know. */
export const gadgets: ResourceType = {
  group: 'test.ringmaster.dev',
  version: 'v1',
  plural: 'gadgets',
  kind: 'Gadget',
  namespaced: true,
};

export const gadgetsPath = '/apis/test.ringmaster.dev/v1/namespaces/default/gadgets';
export const definitionPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gadgets.test.ringmaster.dev';

const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'gadgets.test.ringmaster.dev' },
  spec: {
    group: gadgets.group,
    names: { kind: gadgets.kind, plural: gadgets.plural, singular: 'gadget', listKind: 'GadgetList' },
    scope: 'Namespaced',
    versions: [
      {
        name: gadgets.version,
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: {
                  size: { type: 'integer' },
                  color: { type: 'string' },
                  free: {
                    type: 'object',
                    'x-kubernetes-preserve-unknown-fields': true,
                    properties: { typed: { type: 'object', properties: { known: { type: 'string' } } } },
                  },
                },
              },
              status: { type: 'object', properties: { phase: { type: 'string' } } },
            },
          },
        },
      },
    ],
  },
};

/** Installs the kind, and waits until it is served. */
export async function installGadgets(server: ApiServer): Promise<void> {
  await server.apply(definitionPath, 'test', definition);
  await eventually('gadgets are served', async () => {
    try {
      return (await server.find(gadgetsPath)) !== undefined;
    } catch (error) {
      // For a moment a new kind answers 429, "storage is (re)initializing".
      if (error instanceof ApiError && error.status === 429) return false;
      throw error;
    }
  });
}

export function gadget(name: string, spec: Record<string, unknown>, metadata: object = {}): KubeObject {
  return {
    apiVersion: 'test.ringmaster.dev/v1',
    kind: 'Gadget',
    metadata: { name, namespace: 'default', ...metadata },
    spec,
  };
}

/** Waits until `condition` holds, at most a minute. */
export async function eventually(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within a minute: ${what}`);
    await sleep(systemClock, 20, new AbortController().signal);
  }
}
