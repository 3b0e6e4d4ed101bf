/** What a person has to mend before the command can run; the message says what and how. The process exits with 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'Usage';
}
