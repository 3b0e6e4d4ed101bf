import { command } from '../run/command.ts';
import { HarnessError } from '../errors.ts';

// Each with a call that does nothing, and the package to install.
const tools = [
  { program: 'ip', call: ['-Version'], install: 'iproute2' },
  { program: 'setpriv', call: ['--version'], install: 'util-linux' },
  { program: 'unshare', call: ['--version'], install: 'util-linux' },
  { program: 'mount', call: ['--version'], install: 'util-linux (or the package mount)' },
  { program: 'bash', call: ['--version'], install: 'bash' },
] as const;

/**
 * Checks what every run needs of the system.
 * @throws HarnessError ToolMissing, one sentence that names the tool and what to install.
 */
export async function requireTools(): Promise<void> {
  if (process.platform !== 'linux')
    throw new HarnessError('ToolMissing', 'The harness needs Linux: it uses network namespaces.');
  if (process.getuid?.() !== 0)
    throw new HarnessError(
      'ToolMissing',
      'The harness makes network namespaces and so needs root: run it with sudo, or in a container with --privileged.',
    );
  for (const { program, call, install } of tools) {
    try {
      await command(program, call);
    } catch (cause) {
      throw new HarnessError('ToolMissing', `The program ${program} is missing: install ${install}.`, { cause });
    }
  }
}
