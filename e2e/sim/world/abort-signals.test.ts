import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SimulatedAbortController, SimulatedAbortSignal } from './abort-signals.ts';

interface Signal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void, options?: { once: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

interface Platform {
  controller: () => { readonly signal: Signal; abort(reason?: unknown): void };
  any: (signals: Signal[]) => Signal;
}

const platforms: Record<string, Platform> = {
  'Node.js': {
    controller: () => new AbortController(),
    any: (signals) => AbortSignal.any(signals as AbortSignal[]),
  },
  'the simulation': {
    controller: () => new SimulatedAbortController(),
    any: (signals) => SimulatedAbortSignal.any(signals as SimulatedAbortSignal[]),
  },
};

for (const [name, { controller, any }] of Object.entries(platforms)) {
  describe(`the abort signals of ${name}`, () => {
    test('tell each listener once, in their order, those of composed signals last', () => {
      const told: string[] = [];
      const one = controller();
      const other = controller();
      const composed = any([any([other.signal, one.signal]), one.signal]);
      const removed = (): void => void told.push('removed');
      composed.addEventListener('abort', () => told.push('composed'), { once: true });
      one.signal.addEventListener('abort', () => {
        told.push('first');
        one.signal.removeEventListener('abort', removed);
      });
      one.signal.addEventListener('abort', removed);
      one.signal.addEventListener('abort', () => told.push('second'));
      one.abort();
      one.abort();
      other.abort();
      assert.deepEqual(told, ['first', 'second', 'composed']);
    });

    test('tell nobody who listens no more, or only since the abort', () => {
      let told = 0;
      const listener = (): void => void told++;
      const source = controller();
      const composed = any([source.signal]);
      composed.addEventListener('abort', listener);
      composed.removeEventListener('abort', listener);
      source.abort();
      composed.addEventListener('abort', listener);
      source.signal.addEventListener('abort', listener);
      assert.equal(told, 0);
      assert.ok(composed.aborted);
    });

    test('have the reason of their abort, and give one to who has none', () => {
      const one = controller();
      const other = controller();
      const composed = any([one.signal, other.signal]);
      composed.throwIfAborted();
      assert.equal(composed.reason, undefined);
      const reason = new Error('enough');
      other.abort(reason);
      other.abort(new Error('later'));
      assert.equal(composed.reason, reason);
      assert.throws(() => composed.throwIfAborted(), reason);
      assert.equal(any([other.signal]).reason, reason);
      const silent = controller();
      silent.abort();
      assert.ok(silent.signal.reason instanceof DOMException);
      assert.equal(silent.signal.reason.name, 'AbortError');
    });
  });
}
