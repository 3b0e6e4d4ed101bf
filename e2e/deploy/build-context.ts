import { cpSync, existsSync, lstatSync, readFileSync } from 'node:fs';
import { join, matchesGlob, relative } from 'node:path';

/** What a builder is sent of the repository: what .dockerignore leaves of it. */
export class BuildContext {
  readonly root: string;
  /** In order; the last one that matches a path or a folder above it counts. */
  readonly #rules: readonly { readonly pattern: string; readonly isException: boolean }[];
  readonly #used = new Set<string>();

  constructor(root: string) {
    this.root = root;
    const lines = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
    this.#rules = lines
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => ({ pattern: line.replace(/^!/, ''), isException: line.startsWith('!') }));
  }

  /** Exceptions of .dockerignore that nothing was copied by. */
  get unused(): string[] {
    return this.#rules
      .filter(({ pattern, isException }) => isException && !this.#used.has(pattern))
      .map((rule) => rule.pattern);
  }

  /** Copies a file, or what is in a folder, as COPY does. @throws Error when a builder would not find it. */
  copy(source: string, target: string): void {
    const path = join(this.root, source);
    if (!existsSync(path) || !this.#isSent(source)) throw new Error(`COPY ${source}: not found in the build context`);
    cpSync(path, target, {
      recursive: true,
      filter: (from) => lstatSync(from).isDirectory() || this.#isSent(relative(this.root, from)),
    });
  }

  #isSent(path: string): boolean {
    const steps = path.split('/');
    const paths = steps.map((_, index) => steps.slice(0, index + 1).join('/'));
    const rule = this.#rules.findLast(({ pattern }) => paths.some((each) => matchesGlob(each, pattern)));
    if (rule?.isException) this.#used.add(rule.pattern);
    return rule?.isException ?? true;
  }
}
