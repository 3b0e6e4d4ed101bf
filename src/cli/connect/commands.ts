import { type Command, InvalidArgumentError, Option } from 'commander';
import { defaultServiceAccount } from '../rbac.ts';
import { connect } from './connect.ts';
import { disconnect } from './disconnect.ts';
import type { CommandEdges, ConnectFlags, DisconnectFlags, RotateFlags } from './flags.ts';
import { defaultLifetimeSeconds, rotate } from './rotate.ts';

/** The API server takes no less than ten minutes, and no more than 2^32 seconds. */
const lifetimeSeconds = { least: 600, most: 2 ** 32 } as const;
/** How long an API server goes on accepting a token that it has seen lately is 10 s; then whoever uses the old one knows the new one. */
const defaultRevokeAfterSeconds = 15;

/** Adds `connect`, `disconnect` and `rotate`. */
export function addConnectCommands(command: Command, userAgent: string, stopSignal: () => AbortSignal): void {
  const edges = (): CommandEdges => ({ out: process.stdout, userAgent, env: process.env, signal: stopSignal() });
  withHubOptions(command.command('connect'))
    .description('prepare a region, with the rights of an administrator, and register it in the hub; may be repeated')
    .requiredOption('--context <name>', "the region's context in the kubeconfig")
    .option('--name <region>', 'what the region is called in MultiCassandraClusters (default: its context)')
    .option(
      '--namespace <names>',
      'namespaces of members in the region, with commas; may be repeated (default: cassandra)',
      collect,
    )
    .option(
      '--allow-from <namespaces>',
      'namespaces of the hub whose MultiCassandraClusters may use the region, with commas, or * (default: as --namespace)',
    )
    .option('--server <url>', "where the controller reaches the region's API server (default: that of the context)")
    .option('--certificate-authority <file>', 'authority of that server (default: that of the context)')
    .addOption(
      new Option('--token-lifetime <duration>', 'how long its token lives, such as 24h or 30d')
        .argParser(lifetime)
        .default(defaultLifetimeSeconds, '90d'),
    )
    .option('--renew-after <duration>', 'when the controller renews it (default: a third of its life)', duration)
    .option('--no-renew', 'nobody renews the token: no right to do so is given')
    .option('--long-lived-token', 'a token that never ends, of a Secret in the region')
    .option(
      '--controller <namespace/name>',
      'ServiceAccount of the controller in the hub, which renews the token',
      serviceAccount,
      `${defaultServiceAccount.namespace}/${defaultServiceAccount.name}`,
    )
    .option('--force', 'take over what somebody else has made')
    .option('--dry-run', 'print the objects, and make none')
    .action((flags: ConnectFlags) => connect(flags, edges()));

  withHubOptions(command.command('disconnect'))
    .description('take back what connect has made for a region; namespaces, members and data stay')
    .argument('<region>', 'as it is called in MultiCassandraClusters')
    .option('--context <name>', "the region's context in the kubeconfig (default: the one it was connected with)")
    .option('--hub-only', 'leave what is in the region, for one that is lost')
    .option('--force', 'also while a MultiCassandraCluster needs the region')
    .action((region: string, flags: DisconnectFlags) => disconnect(region, flags, edges()));

  withHubOptions(command.command('rotate'))
    .description('register a new token for a region, and revoke the one of before')
    .argument('[region]', 'as it is called in MultiCassandraClusters')
    .option('--all', 'each region that was connected')
    .option('--context <name>', "the region's context in the kubeconfig (default: the one it was connected with)")
    .option(
      '--token-lifetime <duration>',
      'how long the new one lives (default: as long as the one of before)',
      lifetime,
    )
    .addOption(
      new Option('--revoke-after <duration>', 'how long the token of before goes on, for a controller that uses it now')
        .argParser(duration)
        .default(defaultRevokeAfterSeconds, '15s'),
    )
    .action((region: string | undefined, flags: RotateFlags) => rotate(region, flags, edges()));
}

function withHubOptions(command: Command): Command {
  return command
    .option(
      '--kubeconfig <path>',
      'kubeconfig file; may be repeated (default: $KUBECONFIG, else ~/.kube/config)',
      collect,
    )
    .option('--hub-context <name>', "the hub's context (default: the current one)")
    .option(
      '--ringmaster-namespace <name>',
      'namespace of the Secret in the hub, and of the account in the region',
      defaultServiceAccount.namespace,
    );
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Reads `90s`, `15m`, `24h` or `30d` as seconds. */
function duration(value: string): number {
  const [, number = '', unit = ''] = /^(\d{1,9})([smhd])$/.exec(value) ?? [];
  const seconds = Number(number) * (unitSeconds[unit] ?? Number.NaN);
  if (number === '' || Number.isNaN(seconds)) throw new InvalidArgumentError('write it like 90s, 15m, 24h or 30d');
  return seconds;
}

function lifetime(value: string): number {
  const seconds = duration(value);
  if (seconds >= lifetimeSeconds.least && seconds <= lifetimeSeconds.most) return seconds;
  throw new InvalidArgumentError('no cluster takes less than 10m, or more than 2^32 seconds');
}

function serviceAccount(value: string): string {
  const label = '[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?';
  if (new RegExp(`^${label}/${label}$`).test(value)) return value;
  throw new InvalidArgumentError('a ServiceAccount is named as namespace/name');
}
