import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { gaugedEnvironment, readGauges, type Gauges } from './gauges.ts';
import { describeMoments, leaksIn } from './leaks.ts';

/** Calm moments of a real process that leaks a little between each two of them. */
async function momentsOf(leak: string): Promise<Gauges[]> {
  const directory = mkdtempSync(join(tmpdir(), 'ringmaster-gauges-'));
  const file = join(directory, 'gauges');
  const child = spawn(process.execPath, [join(import.meta.dirname, 'leaking-process.ts'), leak], {
    env: gaugedEnvironment(file),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const moments: Gauges[] = [];
    for (let moment = 0; moment < 6; moment++) {
      for (let times = 0; times < 10; times++) {
        child.stdin.write('\n');
        await once(child.stdout, 'data');
      }
      moments.push(await readGauges(child.pid ?? 0, file));
    }
    return moments;
  } finally {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true });
  }
}

suite('what a process leaks is found by comparing its calm moments', () => {
  const found: Record<string, RegExp> = {
    sockets: /openSockets grew/,
    timers: /activeTimers grew/,
    'unref timers': /timerObjects grew/,
    listeners: /closures grew/,
    'listeners of a signal': /closures grew/,
    memory: /heapBytes grew/,
  };
  for (const [leak, pattern] of Object.entries(found)) {
    test(leak, async () => {
      const moments = await momentsOf(leak);
      const leaks = leaksIn(moments);
      assert.ok(
        leaks.some((each) => pattern.test(each)),
        `${leaks.join('; ')}\n${describeMoments(moments)}`,
      );
      assert.equal(
        leaks.some((each) => /warnings? of too many listeners/.test(each)),
        leak === 'listeners',
        'of too many listeners one is warned',
      );
    });
  }

  test('nothing, of one that keeps nothing', async () => {
    assert.deepEqual(leaksIn(await momentsOf('nothing')), []);
  });
});
