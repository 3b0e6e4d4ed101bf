import { setTimeout as sleep } from 'node:timers/promises';
import { Client, types } from 'cassandra-driver';
import type { DisruptionHistory } from './disruption-history.ts';

/** A client in one region that writes a row and reads it back at LOCAL_QUORUM, again and again, until it is stopped. */
export class Customer {
  /** Rows written and read while another region was disrupted and its own was not. */
  served = 0;
  /** What went wrong meanwhile. */
  readonly errors: string[] = [];
  readonly #region: string;
  /** Where the nodes of its region are now: each has another address after a restart. */
  readonly #addresses: () => Promise<string[]>;
  readonly #end = new AbortController();
  readonly #shopping: Promise<void>;
  #client: Client;

  private constructor(region: string, addresses: () => Promise<string[]>, client: Client, history: DisruptionHistory) {
    this.#region = region;
    this.#addresses = addresses;
    this.#client = client;
    this.#shopping = this.#shop(history);
  }

  /**
   * Needs the table shop.visits with `id text PRIMARY KEY, what text`.
   * @throws errors of the driver
   */
  static async enter(
    region: string,
    addresses: () => Promise<string[]>,
    history: DisruptionHistory,
  ): Promise<Customer> {
    return new Customer(region, addresses, await connect(region, await addresses()), history);
  }

  async leave(): Promise<void> {
    this.#end.abort();
    await this.#shopping;
    await this.#client.shutdown();
  }

  async #shop(history: DisruptionHistory): Promise<void> {
    const othersAreDisrupted = (): boolean => history.disrupted.length > 0 && !history.disrupted.includes(this.#region);
    let moved = false;
    for (let id = 0; !this.#end.signal.aborted; id = (id + 1) % 50) {
      await sleep(20);
      if (history.disrupted.includes(this.#region)) {
        moved = true;
        continue;
      }
      if (moved && !(await this.#follow())) continue;
      moved = false;
      const counts = othersAreDisrupted();
      const what = `${this.#region} ${id} ${Date.now()}`;
      const problem = await this.#buy(id, what);
      if (counts && othersAreDisrupted()) {
        if (problem === undefined) this.served += 1;
        else this.errors.push(problem);
      }
    }
  }

  /** Finds the nodes of its region anew after they have restarted; false: not all of them are there yet. */
  async #follow(): Promise<boolean> {
    const before = this.#client;
    try {
      this.#client = await connect(this.#region, await this.#addresses());
    } catch {
      return false;
    }
    await before.shutdown();
    return true;
  }

  /** What went wrong; undefined: nothing. */
  async #buy(id: number, what: string): Promise<string | undefined> {
    try {
      const key = `${this.#region}-${id}`;
      await this.#client.execute('INSERT INTO shop.visits (id, what) VALUES (?, ?)', [key, what]);
      const { rows } = await this.#client.execute('SELECT what FROM shop.visits WHERE id = ?', [key]);
      const read: unknown = rows[0]?.['what'];
      return read === what ? undefined : `wrote ${what}, and read ${String(read)}`;
    } catch (error) {
      return String(error);
    }
  }
}

/** @throws errors of the driver */
async function connect(region: string, contactPoints: string[]): Promise<Client> {
  const client = new Client({
    contactPoints,
    localDataCenter: region,
    queryOptions: { consistency: types.consistencies.localQuorum },
    socketOptions: { readTimeout: 30_000 },
  });
  try {
    await client.connect();
  } catch (error) {
    await client.shutdown();
    throw error;
  }
  return client;
}
