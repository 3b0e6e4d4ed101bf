import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Region, Regions } from '../harness/index.ts';
import { command } from '../harness/run/command.ts';

const program = join(import.meta.dirname, 'impostor-process.ts');

/**
 * Something in the way: as seen from one region, addresses of nodes in other regions lead to a program that holds port
 * 8778 open and is no Cassandra node. The nodes themselves cannot be reached from there meanwhile.
 */
export class Impostor {
  readonly #namespace: string;
  readonly #addresses: readonly string[];
  readonly #answerFile: string;
  readonly #process: ReturnType<Regions['spawn']>;

  private constructor(regions: Regions, region: Region, addresses: readonly string[]) {
    this.#namespace = region.network.namespace;
    this.#addresses = addresses;
    this.#answerFile = join(region.directory, 'impostor.answer');
    this.saysNothing();
    this.#process = regions.spawn(
      ['ip', 'netns', 'exec', this.#namespace, process.execPath, program, this.#answerFile, ...addresses],
      { log: join(region.directory, 'impostor.log') },
    );
  }

  static async start(regions: Regions, region: string, addresses: readonly string[]): Promise<Impostor> {
    const impostor = new Impostor(regions, regions.region(region), addresses);
    await impostor.#routes('add');
    return impostor;
  }

  /** Accepts connections and lets them hang. */
  saysNothing(): void {
    writeFileSync(this.#answerFile, '');
  }

  /** Answers every request with these bytes. */
  says(bytes: string): void {
    writeFileSync(this.#answerFile, bytes);
  }

  /** Answers every request as Jolokia does. */
  saysOfItself(attributes: { OperationMode: string; ClusterName: string; LocalHostId: string }): void {
    const body = JSON.stringify({ request: { type: 'read' }, value: attributes, status: 200 });
    this.says(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  }

  /** The addresses lead to their nodes again. */
  async stop(): Promise<void> {
    await this.#routes('del');
    await this.#process.kill();
  }

  async #routes(verb: 'add' | 'del'): Promise<void> {
    for (const address of this.#addresses)
      await command('ip', ['-n', this.#namespace, 'route', verb, 'local', address, 'dev', 'lo']);
  }
}
