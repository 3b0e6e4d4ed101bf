import type { ObjectChange } from '../api/request.ts';
import { invariants } from '../invariants/all.ts';
import type { Facts } from '../invariants/facts.ts';
import type { Checker, KeyspaceAlteration, NodeEvent, NodeOrder, Write } from '../invariants/invariant.ts';
import type { CassandraNode } from '../region/cassandra/node.ts';

/** An invariant that did not hold. */
export interface Violation {
  readonly invariant: string;
  /** Milliseconds since the world began. */
  readonly atMs: number;
  readonly sentence: string;
  /** Why it matters. */
  readonly statement: string;
}

/** Holds all invariants against one world; the first that breaks counts. */
export class Inspection {
  readonly facts: Facts;
  readonly #now: () => number;
  readonly #checkers: { name: string; statement: string; checker: Checker }[];
  readonly #normal = new WeakSet<CassandraNode>();
  readonly #members = new Set<string>();
  #violation: Violation | undefined;
  /** How often each invariant was asked. */
  checks = 0;

  constructor(facts: Facts, now: () => number) {
    this.facts = facts;
    this.#now = now;
    this.#checkers = invariants.map(({ name, statement, watch }) => ({ name, statement, checker: watch(facts) }));
  }

  get violation(): Violation | undefined {
    return this.#violation;
  }

  onWrite(write: Write): void {
    this.#ask((checker) => checker.onWrite?.(write));
  }

  onOrder(order: NodeOrder): void {
    this.#ask((checker) => checker.onOrder?.(order));
  }

  onAlter(alteration: KeyspaceAlteration): void {
    this.#ask((checker) => checker.onAlter?.(alteration));
  }

  onChange(cluster: string, change: ObjectChange): void {
    this.#ask((checker) => checker.onChange?.(cluster, change));
  }

  onTick(): void {
    this.#ask((checker) => checker.onTick?.());
  }

  onRest(): void {
    this.#ask((checker) => checker.onRest?.());
  }

  /** Something in the ring has changed. */
  onRing(): void {
    for (const node of this.facts.ring().nodes) {
      if (node.mode !== 'NORMAL' || this.#normal.has(node)) continue;
      this.#normal.add(node);
      const { name, region } = node.options;
      const isNew = !this.#members.has(node.hostId);
      this.#members.add(node.hostId);
      const founded = this.facts.ring().foundings.some((each) => each.node === node);
      const tell = (kind: NodeEvent['kind']): void =>
        this.#ask((checker) => checker.onNode?.({ kind, pod: name, region, hostId: node.hostId }));
      if (isNew) tell(founded ? 'founded' : 'joined');
      tell('became NORMAL');
    }
  }

  report(
    invariant: string,
    sentence: string,
    statement = 'The controller never does what it calls a mistake itself.',
  ): void {
    this.#violation ??= { invariant, sentence, statement, atMs: this.#now() };
  }

  #ask(question: (checker: Checker) => string | undefined): void {
    for (const { name, statement, checker } of this.#checkers) {
      const sentence = question(checker);
      this.checks++;
      if (sentence !== undefined) this.report(name, sentence, statement);
    }
  }
}
