import type { PoolClient } from 'pg';
import { NEW_STREAM } from '../../base/event-store/event.js';
import { type Decision, type Write, WriteRefused } from '../../base/event-store/unit-of-work.js';
import { type Candidate, rejection, type UsageBatch, type UsageResult } from './usage-batch.js';
import { type UsageIngested, usageStream } from './usage-ingested.js';
import { leafOf, rootOfLeaves, type UsageRow } from './usage-row.js';
import { findEvents, insertEvents } from './usage-rows.js';

export interface BatchOptions {
  /** UUID. */
  readonly id: string;
  readonly receivedAt: Date;
  /** All or nothing. */
  readonly atomic: boolean;
}

/**
 * Stores the events of one batch that are new, and one `UsageIngested` for them. The primary key decides what is new: an
 * event that is there is a duplicate if it is the same, and refused if it is not, however often and by whomever it is sent.
 */
export class UsageWrite implements Write {
  readonly stream: string;
  readonly expectedVersion = NEW_STREAM;
  /** By place; complete once the write is stored or refused. */
  results: readonly (UsageResult | undefined)[];
  private stored: readonly UsageRow[] = [];
  private leaves: readonly Buffer[] = [];

  constructor(
    readonly tenant: string,
    private readonly batch: UsageBatch,
    private readonly options: BatchOptions,
  ) {
    this.stream = usageStream(tenant, options.id);
    this.results = batch.results;
  }

  /** @throws WriteRefused if it is all or nothing, and something is refused */
  async prepare(client: PoolClient): Promise<void> {
    const results = [...this.batch.results];
    const takeable = await this.takeable(client, results);
    // In key order, so that two batches cannot deadlock on the primary key.
    takeable.sort(byKey);
    const rows = takeable.map((candidate) => this.rowOf(candidate));
    const leaves = rows.map(leafOf);
    const isStored = await insertEvents(client, this.tenant, this.options.id, rows, leaves);
    for (const [index, candidate] of takeable.entries()) {
      if (isStored(index)) results[candidate.index] = { result: 'accepted' };
    }
    await this.judge(client, results);
    this.results = results;
    this.stored = rows.filter((_, index) => isStored(index));
    this.leaves = leaves.filter((_, index) => isStored(index));
    if (this.options.atomic && results.some((one) => one?.result === 'rejected')) throw new WriteRefused();
  }

  decide(): Decision {
    const { id: batch, receivedAt } = this.options;
    const rows = this.stored;
    if (rows.length === 0) return { events: [] };
    const times = rows.map(({ at }) => at).sort();
    const data = { batch, events: rows.length, root: rootOfLeaves(this.leaves), from: times[0]!, to: times.at(-1)! };
    const event: UsageIngested = {
      type: 'UsageIngested',
      schema: 1,
      data: { ...data, receivedAt: receivedAt.toISOString() },
    };
    return { events: [event] };
  }

  /**
   * Those that nothing but the primary key stands against. What an event replaces must be there before it: stored, or in the same
   * batch and replacing nothing itself, since that one is there for sure when the batch is.
   */
  private async takeable(client: PoolClient, results: (UsageResult | undefined)[]): Promise<Candidate[]> {
    const open = this.batch.candidates.filter(({ refusal }) => refusal === undefined);
    const replaced = open.flatMap(({ event }) => event.replaces ?? []);
    if (replaced.length === 0) return open;
    const there = new Set((await findEvents(client, this.tenant, replaced)).keys());
    for (const { event } of open) if (event.replaces === undefined) there.add(keyOf(event));
    return open.filter(({ event: { replaces }, index }) => {
      const known = replaces === undefined || there.has(replaces);
      if (!known) results[index] = rejection('usage_replaces_unknown', REPLACES);
      return known;
    });
  }

  /** Of events that were not stored: is it because they are there already? */
  private async judge(client: PoolClient, results: (UsageResult | undefined)[]): Promise<void> {
    const open = this.batch.candidates.filter(({ index }) => results[index]?.result !== 'accepted');
    if (open.length === 0) return;
    const keys = open.map(({ event }) => keyOf(event));
    const there = await findEvents(client, this.tenant, keys);
    for (const { event, index, refusal } of open) {
      const text = there.get(keyOf(event));
      if (text === undefined) results[index] ??= refusal ?? rejection('usage_already_replaced', REPLACES);
      else if (text === event.text) results[index] = { result: 'duplicate' };
      else results[index] = rejection('usage_id_reused', { path: ['id'], detail: 'names another event already' });
    }
  }

  private rowOf({ event, metered }: Candidate): UsageRow {
    const { at, customer, id, replaces, source, text } = event;
    return {
      source,
      id,
      customer,
      at,
      receivedAt: this.options.receivedAt.toISOString(),
      replaces,
      metered,
      event: text,
    };
  }
}

const REPLACES = { path: ['replaces'], detail: 'names an event that cannot be replaced' };

/** A source has no blank in it. */
function keyOf({ id, source }: { readonly source: string; readonly id: string }): string {
  return `${source} ${id}`;
}

function byKey({ event: a }: Candidate, { event: b }: Candidate): number {
  return keyOf(a) < keyOf(b) ? -1 : 1;
}
