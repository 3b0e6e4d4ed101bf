import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endpointStates, type EndpointState } from './endpoint-state.ts';

/** What a node finds again after a restart. */
export interface DiskContent {
  clusterName: string;
  hostId: string;
  /** As in Cassandra's system.local: only `COMPLETED` is a member that may skip the join. */
  bootstrapped: 'NEEDS_BOOTSTRAP' | 'COMPLETED' | 'DECOMMISSIONED';
  /** Of the last start. */
  generation: number;
  /** The other members, as last seen. */
  peers: readonly EndpointState[];
}

/** The data directory: one file, replaced as a whole, so that a kill at any moment leaves the old or the new content. */
export class Disk {
  readonly #directory: string;
  #written = '';

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  /** @throws SyntaxError if the file is damaged: a node must not take that for an empty disk. */
  read(): DiskContent | undefined {
    let text: string;
    try {
      text = readFileSync(join(this.#directory, 'node.json'), 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
    const content = JSON.parse(text) as DiskContent;
    return { ...content, peers: endpointStates(content.peers).map((peer) => ({ ...peer, generation: 0, version: 0 })) };
  }

  write(content: DiskContent): void {
    const peers = content.peers
      .map((peer) => ({ ...peer, status: 'NORMAL' as const, generation: 0, version: 0 }))
      .toSorted((a, b) => (a.hostId < b.hostId ? -1 : 1));
    const text = JSON.stringify({ ...content, peers });
    if (text === this.#written) return;
    const temporary = join(this.#directory, 'node.json.new');
    writeFileSync(temporary, text);
    renameSync(temporary, join(this.#directory, 'node.json'));
    this.#written = text;
  }
}
