import { Resolver } from 'node:dns/promises';

/** Asks DNS for addresses. */
export interface Names {
  /**
   * The addresses of a name, IPv4 and IPv6.
   * @throws Error with a `code` such as ENOTFOUND or ETIMEOUT when there is none.
   */
  addresses(name: string): Promise<string[]>;
}

const tries = 2;

/** The DNS servers given, each `address` or `address:port`; without any, those that this machine uses. Files such as /etc/hosts are not read. */
export function dnsNames(servers: readonly string[], timeoutMs: number): Names {
  const resolver = new Resolver({ timeout: timeoutMs, tries });
  if (servers.length > 0) resolver.setServers(servers);
  return {
    async addresses(name) {
      const [four, six] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
      const found = [four, six].flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
      if (found.length > 0) return found;
      throw four.status === 'rejected' ? (four.reason as Error) : new Error(`${name} has no address`);
    },
  };
}
