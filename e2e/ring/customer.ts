import { setTimeout as sleep } from 'node:timers/promises';
import { Client, policies, types } from 'cassandra-driver';
import type { DisruptionHistory } from './disruption-history.ts';

/** A client in one region that writes a row and reads it back at LOCAL_QUORUM, again and again, until it is stopped. */
export class Customer {
  /** Rows written and read while another region was disrupted and its own was not. */
  served = 0;
  /** What went wrong meanwhile. */
  readonly errors: string[] = [];
  readonly #region: string;
  readonly #client: Client;
  readonly #end = new AbortController();
  readonly #shopping: Promise<void>;

  private constructor(region: string, client: Client, history: DisruptionHistory) {
    this.#region = region;
    this.#client = client;
    this.#shopping = this.#shop(history);
  }

  /**
   * Needs the table shop.visits with `id text PRIMARY KEY, what text`.
   * @throws errors of the driver
   */
  static async enter(region: string, contactPoints: string[], history: DisruptionHistory): Promise<Customer> {
    const client = new Client({
      contactPoints,
      localDataCenter: region,
      queryOptions: { consistency: types.consistencies.localQuorum },
      policies: { reconnection: new policies.reconnection.ConstantReconnectionPolicy(200) },
      socketOptions: { readTimeout: 30_000 },
    });
    await client.connect();
    return new Customer(region, client, history);
  }

  async leave(): Promise<void> {
    this.#end.abort();
    await this.#shopping;
    await this.#client.shutdown();
  }

  async #shop(history: DisruptionHistory): Promise<void> {
    const othersAreDisrupted = (): boolean => history.disrupted.length > 0 && !history.disrupted.includes(this.#region);
    for (let id = 0; !this.#end.signal.aborted; id = (id + 1) % 50) {
      const counts = othersAreDisrupted();
      const what = `${this.#region} ${id} ${Date.now()}`;
      const problem = await this.#buy(id, what);
      if (counts && othersAreDisrupted()) {
        if (problem === undefined) this.served += 1;
        else this.errors.push(problem);
      }
      await sleep(20);
    }
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
