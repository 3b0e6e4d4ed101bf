import type { Output } from '../output.ts';

/** The flags that all three commands have. */
export interface HubFlags {
  kubeconfig?: string[];
  hubContext?: string;
  ringmasterNamespace: string;
}

export interface ConnectFlags extends HubFlags {
  context: string;
  name?: string;
  namespace?: string[];
  allowFrom?: string;
  server?: string;
  certificateAuthority?: string;
  /** Seconds. */
  tokenLifetime: number;
  /** Seconds; default: a third of what was granted. */
  renewAfter?: number;
  renew: boolean;
  longLivedToken?: boolean;
  /** `namespace/name` in the hub. */
  controller: string;
  force?: boolean;
  dryRun?: boolean;
}

export interface DisconnectFlags extends HubFlags {
  context?: string;
  hubOnly?: boolean;
  force?: boolean;
}

export interface RotateFlags extends HubFlags {
  context?: string;
  all?: boolean;
  /** Seconds; default: as long as the token of before. */
  tokenLifetime?: number;
  /** Seconds. */
  revokeAfter: number;
}

/** What a command works with besides its flags. */
export interface CommandEdges {
  readonly out: Output;
  readonly userAgent: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}
