import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { createPublicClient, http, parseAbiItem } from 'viem';
import { type Address, parseAddress } from '../../src/base/shared/hex.js';
import { creditKey } from '../../src/domains/limits/credit.js';
import { QUEUE_PREFIX, queueNameOf } from '../../src/domains/settlement/settlement.queue.js';
import { NETWORK } from '../chain/support.js';
import type { App } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { LOGS_MAX_BYTES, transfers } from '../support/usdc.js';

const CATCH_UP_MS = 60_000;
const DRAIN_MS = 180_000;
const used = parseAbiItem('event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce)');

/** What the chain says about the payments of one payer set to one payee. */
export interface SettledCount {
  /** Different authorizations used. */
  readonly authorizations: number;
  /** Transfers to the payee; more than authorizations would mean that somebody paid twice. */
  readonly transfers: number;
}

/** From delivery to the settlement in the book. */
export interface SettlementTimes {
  readonly settled: number;
  /** From the first delivery to the last settlement. */
  readonly seconds: number;
  /** Of one payment, in seconds. */
  readonly p50: number;
  readonly p99: number;
}

/** Looks into the books of a running Tollbook from outside: its queue, its database, its chain. */
export class Books {
  private readonly redis: Redis;
  private readonly queue: Queue;
  private readonly database: pg.Pool;

  constructor(private readonly app: App) {
    this.redis = new Redis(app.engines.redis, { maxRetriesPerRequest: null });
    this.queue = new Queue(queueNameOf(NETWORK), { connection: this.redis, prefix: QUEUE_PREFIX });
    this.database = new pg.Pool({ connectionString: app.engines.postgres, max: 2 });
  }

  pauseSettlement(): Promise<void> {
    return this.queue.pause();
  }

  resumeSettlement(): Promise<void> {
    return this.queue.resume();
  }

  /** Waits until every projection and the settlement feed have read the whole log, so that the next round starts quiet. */
  async quiet(): Promise<void> {
    await eventually(async () => {
      const { rows } = await this.database.query<{ quiet: boolean }>(
        `select coalesce(bool_and(position >= (select coalesce(max(position), 0) from events)), true) as quiet
         from projection_checkpoints`,
      );
      return rows[0]!.quiet;
    }, CATCH_UP_MS);
  }

  /** Waits until nothing is open any more, then returns the number of payments by state. */
  async drained(onProgress: (open: number) => void): Promise<Record<string, number>> {
    return eventually(async () => {
      await this.quiet();
      const states = await this.states();
      const open = (states.authorized ?? 0) + (states.delivered ?? 0) + (states.submitted ?? 0);
      onProgress(open);
      return open === 0 ? states : undefined;
    }, DRAIN_MS);
  }

  /** Reads the token's own logs from the first block on. */
  async onChain(token: Address, payers: readonly Address[], payee: Address): Promise<SettledCount> {
    const options = { timeout: 60_000, maxResponseBodySize: LOGS_MAX_BYTES };
    const client = createPublicClient({ transport: http(this.app.engines.chain, options) });
    const [uses, moved] = await Promise.all([
      client.getLogs({ address: token, fromBlock: 0n, event: used, args: { authorizer: [...payers] } }),
      transfers(this.app.engines.chain, { from: payers, to: payee }),
    ]);
    const authorizations = new Set(uses.map(({ args }) => `${args.authorizer}/${args.nonce}`)).size;
    return { authorizations, transfers: moved.length };
  }

  /** What a route asks for, and for whom. */
  async termsOf(route: string): Promise<{ token: Address; payee: Address }> {
    const response = await fetch(this.app.gateway + route);
    const offer = JSON.parse(Buffer.from(response.headers.get('payment-required')!, 'base64').toString());
    return { token: parseAddress(offer.accepts[0].asset)!, payee: parseAddress(offer.accepts[0].payTo)! };
  }

  /** What these accounts have committed to and been given, and what the hold on their credit says that they owe; atomic units. */
  async committed(customers: readonly string[]): Promise<{ delivered: number; charged: string; owed: string }> {
    const { rows } = await this.database.query<{ delivered: number; charged: string; owed: string }>(
      `select count(*)::int as delivered, coalesce(sum(charged), 0)::text as charged,
         (select coalesce(sum(held), 0)::text from hold_totals where key = any($2)) as owed
       from commitments where state = 'delivered' and customer = any($1)`,
      [customers, customers.map((customer) => creditKey('demo', customer))],
    );
    return rows[0]!;
  }

  /** Of the newest event. */
  async position(): Promise<string> {
    const { rows } = await this.database.query<{ head: string }>(
      'select coalesce(max(position), 0) as head from events',
    );
    return rows[0]!.head;
  }

  /** Of the payments that were authorized behind a position. */
  async settlementTimes(since: string): Promise<SettlementTimes> {
    const { rows } = await this.database.query<Record<keyof SettlementTimes, number>>(
      `select count(*)::int as settled,
         extract(epoch from max(settled_at) - min(delivered_at))::float8 as seconds,
         percentile_disc(0.5) within group (order by extract(epoch from settled_at - delivered_at))::float8 as p50,
         percentile_disc(0.99) within group (order by extract(epoch from settled_at - delivered_at))::float8 as p99
       from payments where state = 'settled' and position > $1`,
      [since],
    );
    return rows[0]!;
  }

  async createDatabase(name: string): Promise<string> {
    await this.database.query(`create database ${name}`);
    return Object.assign(new URL(this.app.engines.postgres), { pathname: `/${name}` }).href;
  }

  async dropDatabases(names: readonly string[]): Promise<void> {
    for (const name of names) await this.database.query(`drop database if exists ${name} with (force)`);
  }

  async close(): Promise<void> {
    await this.queue.close();
    this.redis.disconnect();
    await this.database.end();
  }

  private async states(): Promise<Record<string, number>> {
    const { rows } = await this.database.query<{ state: string; count: string }>(
      'select state, count(*) from payments group by state',
    );
    return Object.fromEntries(rows.map(({ state, count }) => [state, Number(count)]));
  }
}
