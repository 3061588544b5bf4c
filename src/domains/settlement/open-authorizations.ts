import type { Pool } from 'pg';
import type { ChainReader } from '../../base/chain/chain-reader.js';
import type { Address, Hex, Network } from '../../base/shared/hex.js';
import { type PaymentId, paymentIdOf } from '../payments/payment.js';
import { OPEN_STATES } from '../payments/settle.decide.js';

/** Payments that are looked for at once; the engine finds out about the others by itself, a little later. */
const OPEN_MAX = 20_000;

/**
 * Looks for authorizations of open payments that came to an end without us: used by a stranger, or cancelled. What became of
 * the payment is for the engine to find out, so nothing is lost if one is missed.
 */
export class OpenAuthorizations {
  constructor(
    private readonly pool: Pool,
    private readonly network: Network,
    private readonly chain: Pick<ChainReader, 'authorizations'>,
  ) {}

  /** The payments whose authorization was used or cancelled in these blocks, but by a transaction of ours. Throws ChainUnavailable. */
  async endedIn(first: bigint, last: bigint): Promise<readonly PaymentId[]> {
    const open = await this.open();
    const ended = new Map<PaymentId, Hex>();
    for (const asset of new Set([...open.values()].map((one) => one.asset))) {
      const payers = [...new Set([...open.values()].filter((one) => one.asset === asset).map(({ payer }) => payer))];
      for await (const page of this.chain.authorizations(asset, payers, first, last)) {
        for (const { nonce, payer, transaction } of page) {
          const id = paymentIdOf({ network: this.network, asset, payer, nonce });
          if (open.has(id)) ended.set(id, transaction);
        }
      }
    }
    const ours = await this.ours([...ended.values()]);
    return [...ended].filter(([, transaction]) => !ours.has(transaction)).map(([id]) => id);
  }

  private async open(): Promise<ReadonlyMap<PaymentId, { readonly asset: Address; readonly payer: Address }>> {
    const { rows } = await this.pool.query<{ id: PaymentId; asset: Address; payer: Address }>(
      `select id, asset, payer from payments where state = any($3::text[]) and network = $1 limit $2`,
      [this.network, OPEN_MAX, OPEN_STATES],
    );
    return new Map(rows.map((row) => [row.id, row]));
  }

  private async ours(transactions: readonly Hex[]): Promise<ReadonlySet<Hex>> {
    if (transactions.length === 0) return new Set();
    const { rows } = await this.pool.query<{ hash: Hex }>(
      'select hash from settlement_transactions where hash = any($1::text[])',
      [transactions],
    );
    return new Set(rows.map(({ hash }) => hash));
  }
}
