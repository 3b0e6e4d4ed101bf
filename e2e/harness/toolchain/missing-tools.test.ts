import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { findCassandraJars } from './cassandra-jars.ts';
import { findControlPlanePrograms } from './control-plane-programs.ts';
import { findJava } from './java.ts';
import { findProbeTools } from './probe-tools.ts';
import { requireTools } from './required-tools.ts';

const { signal } = new AbortController();

describe('on a machine where a tool is missing', () => {
  const saved = { ...process.env };
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ringmaster-tools-'));
    process.env['PATH'] = join(directory, 'bin');
    process.env['XDG_CACHE_HOME'] = join(directory, 'cache');
    delete process.env['KUBEBUILDER_ASSETS'];
    mkdirSync(join(directory, 'bin'));
  });
  afterEach(() => {
    for (const name of ['PATH', 'XDG_CACHE_HOME', 'KUBEBUILDER_ASSETS', 'JAVA_HOME']) {
      const value = saved[name];
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    rmSync(directory, { recursive: true });
  });

  function install(path: string, script: string): void {
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  }

  const sentence = (text: RegExp) => ({ code: 'ToolMissing', message: text });

  test('go, mvn and iproute2 are asked for by name', async () => {
    await assert.rejects(findControlPlanePrograms(signal), sentence(/^The program go is missing: install Go /));
    await assert.rejects(findCassandraJars(signal), sentence(/^The program mvn is missing: install maven /));
    await assert.rejects(requireTools(), sentence(/^The program ip is missing: install iproute2\.$/));
  });

  test('Java 17 is found in JAVA_HOME, and another Java there is passed over', async () => {
    const home = join(directory, 'jdk');
    mkdirSync(join(home, 'bin'), { recursive: true });
    process.env['JAVA_HOME'] = home;
    install(join(home, 'bin/java'), 'echo "openjdk 17.0.99 2026-01-01"');
    assert.equal((await findJava()).path, join(home, 'bin/java'));
    install(join(home, 'bin/java'), 'echo "openjdk 25.0.1 2026-01-01"');
    const found = await findJava().catch((error: unknown) => error);
    if (found instanceof Error) assert.match(found.message, /^No Java 17 was found .*install openjdk-17/);
    else assert.match((found as { version: string }).version, /^openjdk 17\b/);
  });

  test('the programs of KUBEBUILDER_ASSETS are taken if all are there', async () => {
    const assets = join(directory, 'assets');
    mkdirSync(assets);
    process.env['KUBEBUILDER_ASSETS'] = assets;
    for (const name of ['etcd', 'kube-apiserver', 'kubectl']) install(join(assets, name), 'true');
    await assert.rejects(findControlPlanePrograms(signal), sentence(/^The program go is missing/));
    install(join(assets, 'kube-controller-manager'), 'true');
    const { etcd, kubeControllerManager } = await findControlPlanePrograms(signal);
    assert.deepEqual(etcd, [join(assets, 'etcd')]);
    assert.deepEqual(kubeControllerManager, [join(assets, 'kube-controller-manager')]);
  });

  test('curl is the installed one, or the stand-in', () => {
    const curl = (): string => execFileSync(join(findProbeTools(), 'curl'), ['--version']).toString();
    assert.match(curl(), /^curl stand-in/);
    install(join(directory, 'bin/curl'), 'echo the installed one');
    assert.match(curl(), /^the installed one/);
  });
});
