import assert from 'node:assert/strict';
import { test } from 'node:test';
import { casskop } from './casskop.ts';

function named(spec: Record<string, unknown>): string[] {
  return casskop
    .references(spec)
    .map(
      ({ kind, name, path, key, optional }) =>
        `${kind} ${name} ${path.join('.')} ${key ?? '*'}${optional ? ' optional' : ''}`,
    );
}

test('the Secrets for images are named, unless their names are empty', () => {
  const spec = { imagePullSecret: { name: 'registry' }, imageJolokiaSecret: { name: '' } };
  assert.deepEqual(named(spec), ['Secret registry imagePullSecret.name *']);
});

test('variables of Cassandra, of the backup sidecar and of other sidecars name Secrets and ConfigMaps', () => {
  const password = { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'backup', key: 'password' } } };
  const size = { name: 'SIZE', valueFrom: { configMapKeyRef: { name: 'sizes', key: 'heap', optional: true } } };
  const spec = {
    envVars: [{ name: 'PLAIN', value: 'x' }, size],
    backRestSidecar: { envVars: [password] },
    sidecarConfigs: [
      { name: 'first' },
      {
        name: 'second',
        env: [password],
        envFrom: [{ secretRef: { name: 'all' } }, { configMapRef: { name: 'more' } }],
      },
    ],
  };
  assert.deepEqual(named(spec), [
    'ConfigMap sizes envVars.1.valueFrom.configMapKeyRef.name heap optional',
    'Secret backup backRestSidecar.envVars.0.valueFrom.secretKeyRef.name password',
    'Secret backup sidecarConfigs.1.env.0.valueFrom.secretKeyRef.name password',
    'Secret all sidecarConfigs.1.envFrom.0.secretRef.name *',
    'ConfigMap more sidecarConfigs.1.envFrom.1.configMapRef.name *',
  ]);
});

test('configMapName names scripts, which the guard holds, and what is not an object names nothing', () => {
  assert.deepEqual(
    named({ configMapName: 'scripts', envVars: 'none', imagePullSecret: 'registry', sidecarConfigs: [1] }),
    [],
  );
});
