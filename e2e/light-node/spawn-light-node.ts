import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { join } from 'node:path';
import { port } from './gossip-client.ts';

const main = join(import.meta.dirname, 'main.ts');
const storageService = 'org.apache.cassandra.db:type=StorageService';

export interface NodeArguments {
  address: string;
  seeds: readonly string[];
  data: string;
  cluster?: string;
  /** How long it stays JOINING or LEAVING; default 500 ms. */
  streamMs?: number;
  /** Default true. */
  autoBootstrap?: boolean;
  replaceAddressFirstBoot?: string;
}

/** A light node as a process of its own, and what a test asks it. */
export class LightNodeProcess implements AsyncDisposable {
  readonly address: string;
  readonly child: ChildProcess;
  #errors = '';

  constructor(node: NodeArguments) {
    const { address, seeds, data, cluster = 'orders', streamMs = 500 } = node;
    const { autoBootstrap = true, replaceAddressFirstBoot } = node;
    this.address = address;
    const options = {
      address,
      seeds: seeds.join(','),
      data,
      cluster,
      datacenter: 'eu',
      rack: 'rack1',
      'stream-ms': `${streamMs}`,
      ...(replaceAddressFirstBoot !== undefined && { 'replace-address-first-boot': replaceAddressFirstBoot }),
    };
    this.child = spawn(
      process.execPath,
      [
        main,
        ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
        ...(autoBootstrap ? [] : ['--no-auto-bootstrap']),
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
  }

  /** What it wrote to stderr so far. */
  get errors(): string {
    return this.#errors;
  }

  /** Why it is not running any more; undefined while it runs. */
  get ending(): string | undefined {
    const { exitCode, signalCode } = this.child;
    return exitCode === null && signalCode === null
      ? undefined
      : `it ended with ${exitCode ?? signalCode}: ${this.#errors}`;
  }

  /** Its exit status, once it ended by itself or by `kill`. */
  async ended(): Promise<number | null> {
    if (this.ending === undefined) await once(this.child, 'close');
    return this.child.exitCode;
  }

  async kill(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    this.child.kill(signal);
    await this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  /** One attribute of StorageService. */
  async read<T>(attribute: string): Promise<T> {
    return (await this.ask(`read/${storageService}/${attribute}`)).value as T;
  }

  async isNormal(): Promise<boolean> {
    return (await this.read('OperationMode')) === 'NORMAL';
  }

  /** Address -> host ID, as this node sees the ring. */
  hosts(): Promise<Record<string, string>> {
    return this.read('EndpointToHostId');
  }

  exec(operation: string, ...args: unknown[]): Promise<JolokiaAnswer> {
    return this.ask('', { type: 'EXEC', mbean: storageService, operation, arguments: args });
  }

  /** Asks Jolokia: a GET of `path`, or a POST of `body`. */
  ask(path: string, body?: unknown): Promise<JolokiaAnswer> {
    return new Promise((resolve, reject) => {
      const outgoing = request({
        host: this.address,
        port,
        path: `/jolokia/${path}`,
        method: body === undefined ? 'GET' : 'POST',
        agent: false,
        signal: AbortSignal.timeout(10_000),
      });
      outgoing.on('error', reject);
      outgoing.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('error', reject);
        response.on('end', () => resolve(JSON.parse(text) as JolokiaAnswer));
      });
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

export interface JolokiaAnswer {
  status: number;
  value?: unknown;
  error?: string;
  error_type?: string;
}
