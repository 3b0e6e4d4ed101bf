/**
 * The states of a reflector, and what may follow each (see `followers`):
 * listing: reads all pages, then swaps them into the store.
 * watching: applies events until the watch ends or fails.
 * waiting: lets time pass after a failure, then lists or watches.
 * stopped: the signal aborted; the end.
 */
export type State =
  | { kind: 'listing' }
  | { kind: 'watching'; resourceVersion: string }
  | {
      kind: 'waiting';
      delayMs: number;
      mayHurry: boolean;
      next: { kind: 'listing' } | { kind: 'watching'; resourceVersion: string };
    }
  | { kind: 'stopped' };

export const followers: Record<State['kind'], readonly State['kind'][]> = {
  listing: ['watching', 'waiting', 'stopped'],
  watching: ['watching', 'listing', 'waiting', 'stopped'],
  waiting: ['listing', 'watching', 'stopped'],
  stopped: [],
};
