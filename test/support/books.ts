import pg from 'pg';
import { createPublicClient, erc20Abi, http } from 'viem';
import { USDC_ADDRESS } from '../../src/base/embedded/usdc.js';
import type { Address, Hex } from '../../src/base/shared/hex.js';
import { foldPayment } from '../../src/domains/payments/handler-for.js';
import { type Payment, type PaymentEvent, type PaymentId, paymentStream } from '../../src/domains/payments/payment.js';
import type { App } from './app.js';
import { send } from './http.js';
import { transfers } from './usdc.js';

/** Looks into a running Tollbook from outside: its log, its chain, the demo upstream's own count. */
export class Books {
  private readonly pool: pg.Pool;
  private readonly chainUrl: string;

  constructor(engines: App['engines']) {
    this.pool = new pg.Pool({ connectionString: engines.postgres, max: 2 });
    this.pool.on('error', () => undefined);
    this.chainUrl = engines.chain;
  }

  async eventsOf(id: PaymentId): Promise<readonly PaymentEvent[]> {
    const { rows } = await this.pool.query<{ type: string; schema: number; data: unknown }>(
      'select type, schema, data from events where stream = $1 order by version',
      [paymentStream(id)],
    );
    return rows as unknown as readonly PaymentEvent[];
  }

  async stateOf(id: PaymentId): Promise<Payment> {
    return foldPayment(await this.eventsOf(id));
  }

  /** True once the payment stands there; throws with what it is, for a readable timeout. */
  async is(id: PaymentId, status: Payment['status']): Promise<true> {
    const state = await this.stateOf(id);
    if (state.status !== status) throw new Error(`${id} is ${state.status}`);
    return true;
  }

  /** How many payments of this payer were ever admitted. */
  async admissionsOf(payer: Address): Promise<number> {
    const { rows } = await this.pool.query<{ count: string }>(
      `select count(*) from events where type = 'PaymentAuthorized' and data->'terms'->>'payer' = $1`,
      [payer],
    );
    return Number(rows[0]!.count);
  }

  /** Everything that a table holds, as text. */
  async textOf(table: string): Promise<string> {
    const { rows } = await this.pool.query<{ row: string }>(`select t::text as row from ${table} t`);
    return rows.map(({ row }) => row).join('\n');
  }

  /** Transactions of the token's transfers from this payer, oldest first. */
  async transfersFrom(payer: Address): Promise<readonly Hex[]> {
    return (await transfers(this.chainUrl, { from: payer })).map(({ transaction }) => transaction);
  }

  balanceOf(owner: Address): Promise<bigint> {
    const client = createPublicClient({ transport: http(this.chainUrl) });
    return client.readContract({ address: USDC_ADDRESS, abi: erc20Abi, functionName: 'balanceOf', args: [owner] });
  }

  /** Runs at the demo upstream for this payment. */
  async runsOf(id: PaymentId): Promise<number> {
    const { rows } = await this.pool.query<{ upstream: string }>("select upstream from tenants where id = 'demo'");
    const { body } = await send({ url: `${rows[0]!.upstream}/_runs` });
    return (JSON.parse(body) as Record<string, number>)[id] ?? 0;
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}
