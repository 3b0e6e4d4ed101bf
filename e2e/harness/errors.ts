/** Why the harness could not do what was asked; `code` is stable, the message is a sentence for a person. */
export type HarnessErrorCode =
  | 'BadArgument'
  | 'ToolMissing'
  | 'SourcesMissing'
  | 'BuildFailed'
  | 'NoFreeSlot'
  | 'CommandFailed'
  | 'ControlPlaneNotReady'
  | 'ControllerRefused'
  | 'UnknownRegion'
  | 'TimedOut';

export class HarnessError extends Error {
  override readonly name = 'HarnessError';
  readonly code: HarnessErrorCode;
  constructor(code: HarnessErrorCode, message: string, options?: { cause: unknown }) {
    super(message, options);
    this.code = code;
  }
}
