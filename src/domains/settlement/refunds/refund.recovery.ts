import type { TransactionOutcome } from '../../../base/chain/chain.js';
import { transfersOf } from '../../../base/chain/transfer-logs.js';
import type { Hex } from '../../../base/shared/hex.js';
import { Problem } from '../../../base/shared/problem.js';
import { RevertRefund, refundsOf } from '../../payments/payment.refund.js';
import { recordRefund } from '../../payments/refunds.js';
import { type MinedRefund, refundsAbove } from '../../payments/refunds.queries.js';
import { forEachOf, type RefundDeps } from './refund.ports.js';

/** Deeper blocks count as final. */
const REORG_DEPTH = 64n;
/** Looked at together. */
const PAGE = 200;

/**
 * Takes refunds back whose block is not in the chain any more. What came from the refund wallet is then sent again or found where it
 * went; what the payee's owner sent is recorded again at once if its transaction is in another block already.
 */
export class RefundRecovery {
  /** The newest refund that was seen to stand. A block holds all blocks before it: while this one stands, all of them do. */
  private anchor = '';

  constructor(
    private readonly deps: RefundDeps,
    private readonly page = PAGE,
  ) {}

  /** One turn. */
  async step(): Promise<void> {
    const { chain, pool } = this.deps;
    const { number } = await chain.head();
    const pageBehind = (last?: MinedRefund) => refundsAbove(pool, chain.network, number - REORG_DEPTH, this.page, last);
    let rows = await pageBehind();
    const [newest] = rows;
    if (!newest) return;
    const place = await this.placeOf(newest);
    if (place !== undefined && place === this.anchor) return;
    for (; rows.length > 0; rows = await pageBehind(rows.at(-1)))
      await forEachOf(unique(rows), (row) => this.verify(row));
    this.anchor = (await this.placeOf(newest)) ?? '';
  }

  /** Where the newest stands; `undefined` if not where the log has it. */
  private async placeOf({ payment, transaction }: MinedRefund): Promise<string | undefined> {
    const { state } = await this.deps.load(payment);
    const refund = refundsOf(state).find((one) => one.transaction === transaction);
    if (!refund) return undefined;
    const outcome = await this.deps.chain.transactionOutcome(refund.transaction);
    return stands(outcome, refund.blockHash) ? `${refund.transaction} ${refund.blockHash}` : undefined;
  }

  private async verify({ payment, transaction }: MinedRefund): Promise<void> {
    const { chain, executeRefund, load, log } = this.deps;
    const { state } = await load(payment);
    for (const refund of refundsOf(state).filter((one) => one.transaction === transaction)) {
      const outcome = await chain.transactionOutcome(refund.transaction);
      if (stands(outcome, refund.blockHash)) continue;
      log.warn({ payment, transaction, now: outcome.kind }, 'a refund moved or is gone');
      await executeRefund(new RevertRefund(payment, refund));
      if (outcome.kind === 'mined' && refund.sender === undefined) await this.recordAgain(payment, refund.transaction);
    }
  }

  private async recordAgain(payment: MinedRefund['payment'], transaction: Hex): Promise<void> {
    const { client, executeRefund, store } = this.deps;
    const ports = {
      store,
      transfers: (_network: string, address: `0x${string}`, hash: Hex) => transfersOf(client, { address }, hash),
      execute: executeRefund,
    };
    await recordRefund(ports, payment, { transaction }).catch((error: unknown) => {
      // Of several transfers in one transaction the owner says which; one that fits no more stays taken back.
      if (!(error instanceof Problem)) throw error;
    });
  }
}

/** Several refunds of a payment may be in one transaction, and are looked at together. */
function unique(rows: readonly MinedRefund[]): readonly MinedRefund[] {
  return [...new Map(rows.map((row) => [`${row.payment} ${row.transaction}`, row])).values()];
}

function stands(outcome: TransactionOutcome, blockHash: Hex): boolean {
  return outcome.kind === 'mined' && outcome.blockHash === blockHash;
}
