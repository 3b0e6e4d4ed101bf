import { anything, type Schema } from './schema.ts';
import type { Json } from './values.ts';

/*
 * The built-in kinds, as far as the federation, CassKop and the actors of a region write them: how their lists merge
 * (the list types of the Kubernetes API reference) and what the server fills in. What is not written down here is a
 * declared field, whose lists are replaced as a whole.
 */

interface Notes {
  fields?: Record<string, Schema>;
  items?: Schema;
  keys?: readonly string[];
  list?: Schema['list'];
  atomic?: boolean;
}

function struct(notes: Notes = {}): Schema {
  const fields = new Map(Object.entries(notes.fields ?? {}));
  const below = [...fields.values(), ...(notes.items ? [notes.items] : [])];
  return {
    fields,
    ...(notes.items && { items: notes.items }),
    others: leaf,
    list: notes.list ?? (notes.keys ? 'map' : 'atomic'),
    keys: notes.keys ?? [],
    atomic: notes.atomic ?? false,
    hasDefaults: below.some((each) => each.hasDefaults || each.defaultValue !== undefined),
    prunes: false,
  };
}

const leafSchema: Schema = { list: 'atomic', keys: [], atomic: false, hasDefaults: false, prunes: false };
const leaf: Schema = Object.assign(leafSchema, { others: leafSchema });
const map: Schema = { ...anything, dropsEmpty: true };
const atomicMap: Schema = { ...anything, atomic: true };
const set: Schema = { ...leaf, list: 'set' };

function list(keys: readonly string[], fields: Record<string, Schema> = {}): Schema {
  return struct({ keys, items: struct({ fields }) });
}

/** A scalar that is filled in; a function computes it from the object it stands in. */
function or(defaultValue: unknown): Schema {
  return { ...leaf, defaultValue };
}

export const metadataSchema: Schema = struct({
  fields: { labels: map, annotations: map, finalizers: set, ownerReferences: list(['uid']) },
});

const probe = struct({
  fields: {
    timeoutSeconds: or(1),
    periodSeconds: or(10),
    successThreshold: or(1),
    failureThreshold: or(3),
    httpGet: struct({ fields: { path: or('/'), scheme: or('HTTP') } }),
  },
});

const container: Record<string, Schema> = {
  env: list(['name'], {
    valueFrom: struct({
      fields: {
        fieldRef: struct({ fields: { apiVersion: or('v1') }, atomic: true }),
        configMapKeyRef: atomicMap,
        secretKeyRef: atomicMap,
        resourceFieldRef: atomicMap,
      },
    }),
  }),
  ports: list(['containerPort', 'protocol'], { protocol: or('TCP') }),
  volumeMounts: list(['mountPath']),
  resources: { ...struct({ fields: { limits: map, requests: map, claims: list(['name']) } }), defaultValue: {} },
  livenessProbe: probe,
  readinessProbe: probe,
  startupProbe: probe,
  terminationMessagePath: or('/dev/termination-log'),
  terminationMessagePolicy: or('File'),
  imagePullPolicy: or(({ image }: Json) =>
    typeof image === 'string' && /:(?!latest$)[^:/]+$|@/.test(image) ? 'IfNotPresent' : 'Always',
  ),
};

const defaultMode = { defaultMode: or(0o644) };
const podSpec = struct({
  fields: {
    containers: list(['name'], container),
    initContainers: list(['name'], container),
    ephemeralContainers: list(['name'], container),
    volumes: list(['name'], {
      configMap: struct({ fields: defaultMode }),
      secret: struct({ fields: defaultMode }),
      projected: struct({ fields: defaultMode }),
    }),
    imagePullSecrets: list(['name']),
    hostAliases: list(['ip']),
    topologySpreadConstraints: list(['topologyKey', 'whenUnsatisfiable']),
    nodeSelector: atomicMap,
    restartPolicy: or('Always'),
    terminationGracePeriodSeconds: or(30),
    dnsPolicy: or('ClusterFirst'),
    schedulerName: or('default-scheduler'),
    serviceAccount: or(({ serviceAccountName }: Json) => serviceAccountName),
    securityContext: { ...struct(), defaultValue: {} },
  },
});

const claimSpec: Record<string, Schema> = {
  volumeMode: or('Filesystem'),
  selector: atomicMap,
  resources: { ...struct({ fields: { limits: map, requests: map } }), defaultValue: {} },
};

/** By plural; a kind that is not here has nothing but declared fields. */
export const builtInSchemas: Readonly<Record<string, Schema>> = {
  configmaps: struct({ fields: { metadata: metadataSchema, data: map, binaryData: map } }),
  secrets: struct({ fields: { metadata: metadataSchema, data: map, stringData: map, type: or('Opaque') } }),
  pods: struct({
    fields: {
      metadata: metadataSchema,
      spec: { ...podSpec, fields: new Map(podSpec.fields).set('enableServiceLinks', or(true)) },
      status: struct({
        fields: { conditions: list(['type']), podIPs: list(['ip']), hostIPs: { ...leaf, list: 'atomic' } },
      }),
    },
  }),
  persistentvolumeclaims: struct({
    fields: {
      metadata: metadataSchema,
      spec: struct({ fields: claimSpec }),
      status: struct({ fields: { conditions: list(['type']), capacity: map } }),
    },
  }),
  statefulsets: struct({
    fields: {
      metadata: metadataSchema,
      spec: struct({
        fields: {
          replicas: or(1),
          selector: atomicMap,
          template: struct({ fields: { metadata: metadataSchema, spec: podSpec } }),
          volumeClaimTemplates: struct({
            items: struct({
              fields: {
                apiVersion: or('v1'),
                kind: or('PersistentVolumeClaim'),
                spec: struct({ fields: claimSpec }),
                status: { ...leaf, defaultValue: { phase: 'Pending' } },
              },
            }),
          }),
          podManagementPolicy: or('OrderedReady'),
          revisionHistoryLimit: or(10),
          updateStrategy: {
            ...struct({
              fields: {
                type: or('RollingUpdate'),
                rollingUpdate: {
                  ...struct({ fields: { partition: or(0) } }),
                  defaultValue: ({ type = 'RollingUpdate' }: Json) => (type === 'RollingUpdate' ? {} : undefined),
                },
              },
            }),
            defaultValue: {},
          },
          persistentVolumeClaimRetentionPolicy: {
            ...struct({ fields: { whenDeleted: or('Retain'), whenScaled: or('Retain') } }),
            defaultValue: {},
          },
        },
      }),
      status: struct({ fields: { conditions: list(['type']) } }),
    },
  }),
  services: struct({
    fields: {
      metadata: metadataSchema,
      spec: struct({
        fields: {
          ports: list(['port', 'protocol'], { protocol: or('TCP'), targetPort: or(({ port }: Json) => port) }),
          selector: atomicMap,
          type: or('ClusterIP'),
          clusterIPs: or(({ clusterIP }: Json) => (clusterIP === undefined ? undefined : [clusterIP])),
          sessionAffinity: or('None'),
          ipFamilies: or(['IPv4']),
          ipFamilyPolicy: or('SingleStack'),
          internalTrafficPolicy: or('Cluster'),
        },
      }),
      status: struct({ fields: { conditions: list(['type']) } }),
    },
  }),
  poddisruptionbudgets: struct({
    fields: {
      metadata: metadataSchema,
      spec: struct({ fields: { selector: atomicMap } }),
      status: struct({ fields: { conditions: list(['type']), disruptedPods: map } }),
    },
  }),
};

export const plainKindSchema: Schema = struct({ fields: { metadata: metadataSchema } });
