/** What each process has heard of each kind in each cluster, and what it has written there: numbers of versions. */
export class Beliefs {
  readonly #heard = new Map<string, number>();
  readonly #wrote = new Map<string, number>();

  hear(process: string, cluster: string, plural: string, resourceVersion: string): void {
    const version = Number(resourceVersion);
    const key = `${process} ${cluster} ${plural}`;
    if (version > (this.#heard.get(key) ?? -1)) this.#heard.set(key, version);
  }

  write(process: string, cluster: string, plural: string, resourceVersion: string): void {
    this.#wrote.set(`${process} ${cluster} ${plural}`, Number(resourceVersion));
  }

  heard(process: string, cluster: string, plural: string): number | undefined {
    return this.#heard.get(`${process} ${cluster} ${plural}`);
  }

  wrote(process: string, cluster: string, plural: string): number | undefined {
    return this.#wrote.get(`${process} ${cluster} ${plural}`);
  }

  /** What they are now, for whoever asks later. */
  copy(): Beliefs {
    const copy = new Beliefs();
    for (const [key, version] of this.#heard) copy.#heard.set(key, version);
    for (const [key, version] of this.#wrote) copy.#wrote.set(key, version);
    return copy;
  }

  /** What `process` goes by, for people. */
  describe(process: string): string {
    return [...this.#heard]
      .filter(([key]) => key.startsWith(`${process} `))
      .map(([key, version]) => `${key.slice(process.length + 1)}=${version}`)
      .join(', ');
  }
}
