import type { Pool } from 'pg';
import type { SettlementChain } from '../../../base/chain/chain.js';
import type { ChainClient } from '../../../base/chain/chain-client.js';
import type { EventStore } from '../../../base/event-store/event-store.js';
import type { Logger } from '../../../base/platform/logger.js';
import { Problem } from '../../../base/shared/problem.js';
import type { PaymentAfter } from '../../payments/handler-for.js';
import type { AuthorizationTerms, PaymentId } from '../../payments/payment.js';
import { type RecordRefund, type RevertRefund, requestOf } from '../../payments/payment.refund.js';
import { CancelRefund, type FailRefund, type SubmitRefund } from '../../payments/refund.decide.js';
import type { RequestedRefund } from '../../payments/refund.js';
import type { RefundRow } from '../../payments/refunds.queries.js';
import type { LoadPayment, Tokens } from '../settlement.ports.js';

/** What everybody needs who follows refunds on one chain. */
export interface RefundDeps {
  readonly pool: Pool;
  readonly store: Pick<EventStore, 'readStream' | 'readStreams'>;
  readonly client: ChainClient;
  readonly chain: SettlementChain;
  readonly tokens: Tokens;
  readonly load: LoadPayment;
  readonly executeRefund: (
    command: RecordRefund | RevertRefund | SubmitRefund | CancelRefund | FailRefund,
  ) => Promise<PaymentAfter>;
  readonly log: Logger;
}

/** An open request of one payment, as the log has it. */
export interface OpenRefund {
  readonly payment: PaymentId;
  readonly terms: AuthorizationTerms;
  readonly request: RequestedRefund;
  /** A reorganization took the payment's settlement, and it failed: nothing is to be given back for it. */
  readonly failed: boolean;
}

/** What the read model calls open and is still; it lags behind. */
export async function stillOpen(load: LoadPayment, rows: readonly RefundRow[]): Promise<readonly OpenRefund[]> {
  const all = await Promise.all(
    rows.map(async ({ id, payment }): Promise<OpenRefund | undefined> => {
      const { state } = await load(payment);
      const request = requestOf(state, id);
      const open = request?.state === 'requested' || request?.state === 'sent';
      if (!open || state.status === 'unknown') return undefined;
      return { payment, terms: state.authorized.terms, request, failed: state.status === 'settlement_failed' };
    }),
  );
  return all.filter((one) => one !== undefined);
}

/** Ends a request that nobody can have sent by what is here, because its payment failed. */
export async function withdraw({ executeRefund, log }: RefundDeps, { payment, request }: OpenRefund): Promise<void> {
  const { refund } = request;
  try {
    await executeRefund(new CancelRefund(payment, refund));
    log.warn({ payment, refund }, 'a refund is cancelled, since its payment failed after a reorganization');
  } catch (error) {
    // Its transfer was recorded meanwhile.
    if (!(error instanceof Problem)) throw error;
  }
}

/**
 * Does the work for each, those of one payment in turn, since they write to one stream; one that fails keeps none of the
 * others. Rejects with the first failure when all had their turn.
 */
export async function forEachOf<T extends { readonly payment: PaymentId }>(
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const turns = new Map<PaymentId, Promise<unknown>>();
  const ended = items.map((item) => {
    const before = turns.get(item.payment) ?? Promise.resolve();
    const turn = before.catch(() => undefined).then(() => work(item));
    turns.set(item.payment, turn);
    return turn;
  });
  const failed = (await Promise.allSettled(ended)).find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
}
