/**
 * Hands out a region's pod addresses in turn, so that a pod that comes back gets another one, as in a real cluster; an
 * address is used again only after all others.
 */
export class AddressPool {
  readonly #all: readonly string[];
  readonly #taken = new Set<string>();
  #next = 0;

  constructor(all: readonly string[]) {
    this.#all = all;
  }

  /** @throws Error when every address is in use. */
  take(): string {
    for (let tried = 0; tried < this.#all.length; tried += 1) {
      const address = this.#all[this.#next % this.#all.length] as string;
      this.#next += 1;
      if (this.#taken.has(address)) continue;
      this.#taken.add(address);
      return address;
    }
    throw new Error(`all ${this.#all.length} pod addresses are in use`);
  }

  giveBack(address: string): void {
    this.#taken.delete(address);
  }
}
