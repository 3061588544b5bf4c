import type { SettlementChain, SettlementItem, SignedTransaction, Token } from '../../base/chain/chain.js';
import type { Outcome } from '../../base/event-store/group-commit.js';
import type { Logger } from '../../base/platform/logger.js';
import type { Hex } from '../../base/shared/hex.js';
import type { PaymentAfter } from '../payments/handler-for.js';
import type { AuthorizationTerms, Payment, PaymentId } from '../payments/payment.js';
import { SubmitSettlement } from '../payments/settle.decide.js';
import {
  type Execute,
  type LoadPayment,
  type ReadSignatures,
  type SettleItem,
  SettlementPending,
  type Tokens,
} from './settlement.ports.js';
import type { SettlementTransaction, TransactionBook } from './settlement-transactions.js';
import type { SettlerLanes } from './settler-lanes.js';
import { recordNext } from './settler-nonces.js';

/** A lost race is tried again at once; somebody has won each of them. */
const RACES_MAX = 50;

/** The transaction that may pay for an item, and where the item stands since its submission was recorded. */
export interface Submission {
  readonly transaction: SignedTransaction;
  readonly after: PaymentAfter;
}

export interface SenderDeps {
  readonly chain: SettlementChain;
  readonly book: TransactionBook;
  readonly lanes: Pick<SettlerLanes, 'choose' | 'room'>;
  readonly execute: Execute;
  readonly load: LoadPayment;
  readonly signatures: ReadSignatures;
  readonly tokens: Tokens;
  readonly log: Logger;
}

/**
 * Signs batches and publishes them, in an order that survives a crash at every point: the signed bytes are durable
 * first, then each payment's event, then they are broadcast. Whatever is missing after a crash is repeated with the
 * same bytes, by the payment's next attempt or by recovery.
 */
export class SettlementSender {
  constructor(private readonly deps: SenderDeps) {}

  /** One batch of one token. */
  async send(token: Token, items: readonly SettleItem[]): Promise<readonly Outcome<Submission>[]> {
    const signatures = await this.deps.signatures(items.map(({ id }) => id));
    const signable = items.filter(({ id }) => signatures.has(id));
    const published = new Map<PaymentId, Submission>();
    for (const transaction of await this.transactionsFor(token, signable, signatures)) {
      const submissions = await this.publish(transaction.signed, transaction.payments, items);
      for (const [id, submission] of submissions) published.set(id, submission);
    }
    return items.map(({ id }) => {
      const ok = published.get(id);
      return ok ? { ok } : { error: new SettlementPending(`no transaction for ${id}`) };
    });
  }

  /**
   * Records the submission in each payment's stream and broadcasts. A payment that failed in another mode than `async` must not be
   * paid any more: the stream's version decides between that failure and this submission, and if the failure was
   * first, the payment is taken out and the rest signed again with the same nonce, at a higher fee.
   */
  async publish(
    transaction: SignedTransaction,
    payments: readonly PaymentId[],
    items: readonly SettleItem[] = [],
  ): Promise<ReadonlyMap<PaymentId, Submission>> {
    const known = new Map(items.map((item) => [item.id, item]));
    const { hash, settler } = transaction;
    const afters = await Promise.all(
      payments.map((id) => this.deps.execute(new SubmitSettlement(id, hash, settler, known.get(id)))),
    );
    const barred = payments.filter((_, index) => isBarred(afters[index]!.state));
    if (barred.length > 0) {
      const rest = payments.filter((id) => !barred.includes(id));
      return this.publish(await this.resign(transaction, rest), rest);
    }
    await this.broadcast(transaction);
    return new Map(payments.map((id, index) => [id, { transaction, after: afters[index]! }]));
  }

  private async broadcast(transaction: SignedTransaction): Promise<void> {
    const result = await this.deps.chain.broadcast(transaction);
    if (result.kind === 'accepted' || result.kind === 'already_known') return;
    const detail = result.kind === 'refused' ? result.detail : result.kind;
    this.deps.log.warn({ transaction: transaction.hash, nonce: transaction.nonce, detail }, 'broadcast not accepted');
    throw new SettlementPending(`broadcast not accepted: ${detail}`);
  }

  /** Signs and records what is not on its way yet; answers with every transaction that names one of the items. */
  private async transactionsFor(
    token: Token,
    items: readonly SettleItem[],
    signatures: ReadonlyMap<PaymentId, Hex>,
  ): Promise<readonly { signed: SignedTransaction; payments: readonly PaymentId[] }[]> {
    let under: readonly { signed: SignedTransaction; payments: readonly PaymentId[] }[] = [];
    for (let race = 0; race < RACES_MAX; race++) {
      const free = items.filter(({ id }) => !under.some(({ payments }) => payments.includes(id)));
      if (free.length === 0) return under;
      const payments = free.map(({ id }) => id);
      const parts = free.map(({ id, state }) => settlementItem(state, signatures.get(id)!));
      const { book, chain, lanes } = this.deps;
      const signed = await recordNext(chain, lanes, book, payments, (slot) => chain.sign(token, parts, slot));
      if (signed) return [...under, { signed, payments }];
      const naming = await book.naming(items.map(({ id }) => id));
      under = newestOf(naming.filter(({ status }) => status === 'submitted'));
    }
    throw new SettlementPending('lost every race for a nonce');
  }

  private async resign(old: SignedTransaction, payments: readonly PaymentId[]): Promise<SignedTransaction> {
    const { book, chain, load, signatures, tokens } = this.deps;
    const signed = await signatures(payments);
    const states = await Promise.all(payments.map(async (id) => (await load(id)).state));
    const parts = states.map((state, index) => settlementItem(state, signed.get(payments[index]!)!));
    // Without items left, any token will do: the transaction only uses up its nonce.
    const asset = states.map(termsOf)[0]?.asset ?? [...tokens.keys()][0];
    const transaction = await chain.sign(tokens.get(asset!)!, parts, old, old);
    if (await book.replace(old.hash, transaction, payments)) return transaction;
    throw new SettlementPending('the transaction was replaced by another worker');
  }
}

/** The newest attempt in each slot; rows come by nonce and attempt. */
function newestOf(rows: readonly SettlementTransaction[]) {
  const newest = new Map(rows.map((row) => [`${row.settler}/${row.nonce}`, row]));
  return [...newest.values()].map((row) => ({ signed: row, payments: row.payments }));
}

/** Failed although the chain would still take the authorization, and nothing was delivered for it. */
function isBarred(state: Payment): boolean {
  if (state.status !== 'settlement_failed' || state.authorized.mode === 'async') return false;
  return state.failed.reason === 'insufficient_funds' || state.failed.reason === 'rejected_by_token';
}

function termsOf(state: Payment): AuthorizationTerms {
  if (state.status === 'unknown') throw new Error('a payment without authorization cannot be settled');
  return state.authorized.terms;
}

/** The signed transfer as the token takes it. */
export function settlementItem(state: Payment, signature: Hex): SettlementItem {
  const terms = termsOf(state);
  return {
    authorization: {
      from: terms.payer,
      to: terms.payee,
      value: BigInt(terms.amount),
      validAfter: BigInt(terms.validAfter),
      validBefore: BigInt(terms.validBefore),
      nonce: terms.nonce,
    },
    signature,
  };
}
