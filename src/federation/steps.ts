import type { Obstacle } from './gates.ts';
import type { Intent } from './intents.ts';
import type { Operating } from './pod-operations.ts';

/** What one pass decided to do, and what keeps it from doing more; status.ts turns the obstacles into conditions. */
export interface Steps {
  /** The founder to record now, before anything else happens. */
  readonly founder?: string;
  readonly intents: readonly Intent[];
  readonly obstacles: readonly Obstacle[];
  /** Something is under way that is worth looking at often. */
  readonly busy: boolean;
  /** The region whose turn it is to be changed, to be noted before anything is written to it. */
  readonly begins?: string;
  /** Regions that begin to leave the ring, to be noted before anything is done about it. */
  readonly leaves?: readonly string[];
  /** Regions none of whose nodes is part of the ring any more, and nothing of ours is left in. */
  readonly removed?: readonly string[];
  /** Regions none of whose nodes is part of the ring any more, and that cannot be seen, or are being cleared away. */
  readonly abandoned?: readonly string[];
  /** One of the intents disrupts its region. */
  readonly disrupts?: boolean;
  /** What every node is to do once; its intents are among those above. */
  readonly operating?: Operating;
}

export const noSteps: Steps = { intents: [], obstacles: [], busy: false };
