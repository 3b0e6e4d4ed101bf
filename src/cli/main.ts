#!/usr/bin/env -S MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=32768 MALLOC_TRIM_THRESHOLD_=131072 node --max-semi-space-size=8 --optimize-for-size
// With many regions this is 80 MB of 256: what is free is given back, and what is new on the heap stays small (docs/benchmarks.md).
import './node-version.ts';
import { readFileSync } from 'node:fs';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { logLevels } from '../telemetry/logger.ts';
import { addConnectCommands } from './connect/commands.ts';
import { printCrds } from './crds.ts';
import { referencePage } from '../api/reference.ts';
import { readMemberSchema } from './member-schema.ts';
import { casskop } from '../operators/casskop/casskop.ts';
import { hubAccess, regionAccess } from '../runtime/access.ts';
import { isKubeError } from '../kube/errors.ts';
import { type MigrateFlags, runMigrate } from './migrate.ts';
import { type DoctorFlags, runDoctor } from './doctor/doctor.ts';
import { type PlanFlags, runPlan } from './plan.ts';
import { defaultServiceAccount, printRbac } from './rbac.ts';
import { run, type RunFlags } from './run.ts';
import { runStatus, type StatusFlags } from './status/status.ts';
import { UsageError } from './usage-error.ts';
import { runValidate } from './validate.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

function program(): Command {
  const command = new Command('ringmaster')
    .description('One Cassandra ring over many Kubernetes clusters.')
    .version(version)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

  withRegionOptions(command.command('run').description('run the controller'))
    .option('--host <address>', 'address that /healthz, /readyz, /metrics and /ui listen on', '127.0.0.1')
    .option('--port <number>', 'their port; 0 takes a free one', port, 8080)
    .option('--no-ui', 'do not serve the status page at /ui; it needs no password, and shows no secrets')
    .option('--leader-elect [boolean]', 'stand by while another process of this name leads', yesOrNo, true)
    .option('--lease-name <name>', 'Lease that the leader holds', 'ringmaster')
    .option('--lease-namespace <namespace>', "its namespace in the hub (default: that of the hub's context)")
    .addOption(new Option('--log-level <level>', 'least level that is logged').choices(logLevels).default('info'))
    .action(async (flags: RunFlags) => {
      await run(flags, `ringmaster/${version}`, stopSignal());
    });

  withRegionOptions(
    command
      .command('plan')
      .description(
        'say what a MultiCassandraCluster would do to its regions as they are now, without writing anything; exit code 0: nothing, 2: changes, 1: refused or not known',
      ),
  )
    .requiredOption('-f, --filename <file>', 'YAML file, - for standard input')
    .addOption(new Option('-o, --output <format>').choices(['text', 'json']).default('text'))
    .option('--timeout <seconds>', 'how long to wait for regions that do not answer', seconds, 20)
    .action(async (flags: PlanFlags) => {
      try {
        process.exitCode = await runPlan(flags, `ringmaster/${version}`, process.stdout, stopSignal());
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        process.stderr.write(`ringmaster: ${error.message}\n`);
        process.exitCode = 1;
      }
    });

  withHubOptions(
    command
      .command('status')
      .description(
        'say how a MultiCassandraCluster is, what it waits for and what you are to do; without a name one line for each; exit code 0: it was shown, 1: it could not be, 2: wrong flags',
      )
      .argument('[name]', 'of the MultiCassandraCluster'),
  )
    .option('-n, --namespace <name>', "its namespace in the hub (default: that of the hub's context)")
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('-w, --watch', 'show it again whenever it changes')
    .addOption(new Option('-o, --output <format>').choices(['text', 'json', 'yaml']).default('text'))
    .action(async (name: string | undefined, flags: StatusFlags) => {
      process.exitCode = await answering(() =>
        runStatus(name, flags, `ringmaster/${version}`, process.stdout, complain, stopSignal()),
      );
    });

  withRegionOptions(
    command
      .command('doctor')
      .description(
        'look for what is wrong with the hub, the regions and a MultiCassandraCluster, or all of a namespace, and say what to type; changes nothing; exit code 0: no check failed, 1: one did, 2: wrong flags',
      )
      .argument('[name]', 'of the MultiCassandraCluster'),
  )
    .option('-n, --namespace <name>', "its namespace in the hub (default: that of the hub's context)")
    .option('-A, --all-namespaces', 'MultiCassandraClusters of all namespaces')
    .option(
      '--service-account <namespace/name>',
      'whose rights are looked at, in every cluster (default: those of whoever each kubeconfig names)',
      serviceAccount,
    )
    .option(
      '--dns <server>',
      '[REGION=]ADDRESS[:PORT]: DNS server to ask for the addresses of seeds; may be repeated, once for each region (default: that of this machine)',
      collect,
      [],
    )
    .option('--lease-name <name>', 'Lease that the leader holds', 'ringmaster')
    .option(
      '--lease-namespace <namespace>',
      "its namespace in the hub (default: that of the hub's context, else ringmaster-system)",
    )
    .option('--timeout <seconds>', 'how long to wait for what does not answer', seconds, 10)
    .addOption(new Option('-o, --output <format>').choices(['text', 'json', 'yaml']).default('text'))
    .action(async (name: string | undefined, flags: DoctorFlags) => {
      process.exitCode = await answering(() =>
        runDoctor(name, flags, `ringmaster/${version}`, process.stdout, complain, stopSignal()),
      );
    });

  command
    .command('migrate')
    .description(
      'write the MultiCassandraCluster that takes over what Multi-CassKop made of a MultiCasskop, and say on standard error what differs',
    )
    .requiredOption(
      '-f, --filename <file>',
      'YAML file with the MultiCasskop (db.orange.com/v1 or v2), - for standard input',
    )
    .option('-o, --output <file>', 'new file to write to (default: standard output)')
    .option('-n, --namespace <name>', 'namespace of the MultiCasskop, if it does not name it itself')
    .option(
      '--seeds-address <template>',
      'spec.seeds.address, such as {pod}.db.example.net (default: as the seeds tell)',
    )
    .action((flags: MigrateFlags) => {
      process.exitCode = runMigrate(flags, process.stdout, process.stderr);
    });

  addConnectCommands(command, `ringmaster/${version}`, stopSignal);

  command
    .command('crds')
    .description('print the CustomResourceDefinition of MultiCassandraCluster')
    .action(() => printCrds(process.stdout));

  command
    .command('reference')
    .description('print what each field, condition and reason of MultiCassandraCluster means, as Markdown')
    .action(() => {
      process.stdout.write(referencePage());
    });

  const account = `${defaultServiceAccount.namespace}/${defaultServiceAccount.name}`;
  command
    .command('rbac')
    .description('print the ServiceAccount and the roles that the controller needs in a cluster')
    .addArgument(new Argument('<place>', 'what the cluster is').choices(['hub', 'region']))
    .option(
      '--namespace <name>',
      'hub: of MultiCassandraClusters with scripts of their own; region: of members; may be repeated (default: cassandra)',
      collect,
      [],
    )
    .option('--service-account <namespace/name>', 'whom to give the rights', serviceAccount, account)
    .action((place: 'hub' | 'region', flags: { namespace: string[]; serviceAccount: string }) => {
      const [namespace = '', name = ''] = flags.serviceAccount.split('/');
      const rules = place === 'hub' ? hubAccess : regionAccess(casskop);
      const namespaces = flags.namespace.length > 0 ? flags.namespace : ['cassandra'];
      printRbac({ place, rules, namespaces, serviceAccount: { namespace, name } }, process.stdout);
    });

  command
    .command('validate')
    .description('check a file of MultiCassandraClusters without any cluster')
    .argument('<file>', 'YAML file, - for standard input')
    .option(
      '--member-crd <file>',
      "CRD of the regions' CassandraCluster, to find misspelt fields of template, patches and overrides",
    )
    .action((file: string, flags: { memberCrd?: string }) => {
      const memberSchema = flags.memberCrd === undefined ? undefined : readMemberSchema(flags.memberCrd);
      process.exitCode = runValidate(file, process.stdout, { ...(memberSchema && { memberSchema }) });
    });
  return command;
}

/** The options that say where the hub is. */
function withHubOptions(command: Command): Command {
  return command
    .option(
      '--kubeconfig <path>',
      'kubeconfig file, or directory of such; may be repeated (default: $KUBECONFIG, else --in-cluster in a pod, else ~/.kube/config)',
      collect,
      [],
    )
    .option(
      '--context <name>',
      'context of a cluster to work with; may be repeated (default: all contexts of the files)',
      collect,
      [],
    )
    .option(
      '--hub <name>',
      "context that holds the MultiCassandraClusters (default: the first --context, else the first context); with --in-cluster the name of the pod's own cluster (default: hub)",
    )
    .option('--in-cluster', "the hub is the cluster of this pod, reached by the pod's ServiceAccount");
}

/** The options that say where regions come from. */
function withRegionOptions(command: Command): Command {
  return withHubOptions(command)
    .option(
      '--secrets-namespace <name>',
      "namespace of the hub whose Secrets register regions (default: that of the hub's context)",
    )
    .option(
      '--allow <rule>',
      "NAME=HUB_NAMESPACES[/REGION_NAMESPACES]: namespaces of the hub that may use context NAME (* alone: every other context), and namespaces they may write to there; lists with commas, or *; may be repeated (default: *=*, each in the region's namespace of its own name)",
      collect,
      [],
    );
}

function complain(sentence: string): void {
  process.stderr.write(`ringmaster: ${sentence}\n`);
}

/** That a cluster does not answer is no fault of the program: one sentence says it, and the exit code is 1. */
async function answering(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (!isKubeError(error)) throw error;
    complain(`the hub cannot be asked: ${error.message}`);
    return 1;
  }
}

function seconds(value: string): number {
  const number = Number(value);
  if (!(number > 0 && number <= 3600)) throw new InvalidArgumentError('seconds, more than 0 and at most 3600');
  return number;
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

function port(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0 || number > 65535) {
    throw new InvalidArgumentError('a port is a whole number from 0 to 65535');
  }
  return number;
}

function yesOrNo(value: string): boolean {
  if (value !== 'true' && value !== 'false') throw new InvalidArgumentError('true or false');
  return value === 'true';
}

function serviceAccount(value: string): string {
  const label = '[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?';
  if (new RegExp(`^${label}/${label}$`).test(value)) return value;
  throw new InvalidArgumentError('a ServiceAccount is named as namespace/name');
}

/** Aborts at the first SIGTERM or SIGINT; a second one ends the process at once. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(1);
      stop.abort(new Error(`stopped by ${name}`));
    });
  }
  return stop.signal;
}

try {
  await program().parseAsync();
} catch (error) {
  process.stderr.write(`ringmaster: ${error instanceof Error ? error.message : String(error)}\n`);
  if (!(error instanceof UsageError) && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
