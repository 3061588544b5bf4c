import type { Pool } from 'pg';
import type { MinedTransaction } from '../../base/chain/chain.js';
import { type StoredEvent, VersionConflict } from '../../base/event-store/event.js';
import type { EventStore } from '../../base/event-store/event-store.js';
import { ofStreams } from '../../base/event-store/stream-key.js';
import type { Network } from '../../base/shared/hex.js';
import { type PaymentId, paymentStream } from '../payments/payment.js';
import { paymentOfRefund } from '../payments/payment.refund.js';
import { countOf, decideFee, NO_TENANT, shareOut, standingFee } from './network-fee.decide.js';
import { type NetworkFee, type NetworkFeeEvent, networkFeeStream } from './network-fee.js';
import type { SettlementTransaction } from './settlement-transactions.js';

/** Somebody has won each lost race, and he wrote the same. */
const ATTEMPTS_MAX = 5;

/** How many of the payments belong to each tenant. */
export type ReadItems = (payments: readonly PaymentId[]) => Promise<ReadonlyMap<string, number>>;

export interface NetworkFeesDeps {
  readonly store: Pick<EventStore, 'append' | 'readStreams'>;
  readonly network: Network;
  readonly items: ReadItems;
}

/**
 * Keeps the gas of settlement transactions in the log: one stream per tenant and transaction, in which at most one fee
 * stands. Repeating changes nothing, and of two processes the stream's version lets one write.
 */
export class NetworkFees {
  constructor(private readonly deps: NetworkFeesDeps) {}

  /** The fee paid in this block stands when this resolves, and none of another block; `true` if that was news. */
  async pay(transaction: SettlementTransaction, { blockHash, fee, gasUsed }: MinedTransaction): Promise<boolean> {
    const items = await this.deps.items(paymentsIn(transaction));
    const { hash, settler } = transaction;
    const whole = { network: this.deps.network, transaction: hash, settler, blockHash };
    const amounts = { gasUsed: gasUsed.toString(), fee: fee.toString(), of: countOf(items) };
    const due = [...shareOut(fee, items)].map(([tenant, share]): [string, NetworkFee] => [
      tenant,
      { ...whole, ...amounts, items: items.get(tenant) ?? 0, share: share.toString() },
    ]);
    return this.bringAbout(transaction, new Map(due));
  }

  /** The transaction is in no block; `true` if a fee stood that was taken back. */
  async reverse(transaction: SettlementTransaction): Promise<boolean> {
    const tenants = [...(await this.deps.items(paymentsIn(transaction))).keys()];
    return this.bringAbout(
      transaction,
      new Map((tenants.length > 0 ? tenants : [NO_TENANT]).map((id) => [id, undefined])),
    );
  }

  private async bringAbout(
    { hash }: SettlementTransaction,
    due: ReadonlyMap<string, NetworkFee | undefined>,
  ): Promise<boolean> {
    const streams = [...due.keys()].map((tenant) => networkFeeStream(tenant, hash));
    const stored = await this.deps.store.readStreams(streams);
    const written = await Promise.all(
      [...due].map(([tenant, fee]) => this.write(tenant, networkFeeStream(tenant, hash), fee, stored)),
    );
    return written.includes(true);
  }

  private async write(
    tenant: string,
    stream: string,
    due: NetworkFee | undefined,
    stored: ReadonlyMap<string, readonly StoredEvent[]>,
  ): Promise<boolean> {
    let found = stored;
    for (let attempt = 1; ; attempt++) {
      const before = found.get(stream) ?? [];
      const events = decideFee(standingFee(before as unknown as readonly NetworkFeeEvent[]), due);
      if (events.length === 0) return false;
      try {
        await this.deps.store.append({ stream, tenant, expectedVersion: before.length, decide: () => ({ events }) });
        return true;
      } catch (error) {
        if (!(error instanceof VersionConflict) || attempt === ATTEMPTS_MAX) throw error;
        found = await this.deps.store.readStreams([stream]);
      }
    }
  }
}

/** Whose tenants bear the gas: the payments that it settles, and those that it refunds, each once. */
export function paymentsIn({ payments, refunds }: Pick<SettlementTransaction, 'payments' | 'refunds'>): PaymentId[] {
  return [...new Set([...payments, ...refunds.map(paymentOfRefund)])];
}

/** From the log, not from the read model, which lags behind. */
export function itemReader(pool: Pool): ReadItems {
  return async (payments) => {
    const { rows } = await pool.query<{ tenant: string; items: number }>({
      name: 'items-by-tenant',
      text: `select tenant, count(*)::int as items from events where ${ofStreams} and version = 1 group by tenant`,
      values: [payments.map(paymentStream)],
    });
    return new Map(rows.map(({ items, tenant }) => [tenant, items]));
  };
}
