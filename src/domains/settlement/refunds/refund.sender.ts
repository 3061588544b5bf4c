import { type ChainHead, FeeCapReached, type SettlementItem, type Token } from '../../../base/chain/chain.js';
import { asked } from '../../../base/chain/chain-client.js';
import { balanceOf, refusalOfSending } from '../../../base/chain/token-calls.js';
import type { Clock } from '../../../base/shared/clock.js';
import type { Address, Hex } from '../../../base/shared/hex.js';
import { isRefundable, RecordRefund, requestOf, transferStream } from '../../payments/payment.refund.js';
import { FailRefund, SubmitRefund } from '../../payments/refund.decide.js';
import { type Refund, type RefundFailed, refundNonce } from '../../payments/refund.js';
import { openRefunds } from '../../payments/refunds.queries.js';
import { knownTransfer } from '../../payments/transfer.js';
import { type ConfirmationTier, confirmationsFor, IN_A_BLOCK } from '../confirmations.js';
import { storable, verdictOf } from '../settlement.outcome.js';
import { type ScreenPayer, SettlementPending } from '../settlement.ports.js';
import type { SettlementSender } from '../settlement.sender.js';
import type { TransactionBook } from '../settlement-transactions.js';
import type { SettlerLanes } from '../settler-lanes.js';
import { recordNext } from '../settler-nonces.js';
import { Pauses } from './pauses.js';
import { forEachOf, type OpenRefund, type RefundDeps, stillOpen, withdraw } from './refund.ports.js';
import type { RefundWallets } from './refund-wallets.js';

/** Requests looked at in one turn, and refunds in one transaction. */
const LIMIT = 200;
const BATCH_MAX = 40;
/** A refund whose time is over is given up that much later by the chain's clock, in case its last blocks are replaced. Seconds. */
const LAPSED_FOR = 600n;
/** What passes by itself: the wallet is filled, the token goes on. Anything else that the token says is about this refund. */
const PASSING = /exceeds balance|insufficient|paused/i;

export interface RefundSenderDeps extends RefundDeps {
  readonly wallets: RefundWallets;
  readonly book: TransactionBook;
  readonly lanes: Pick<SettlerLanes, 'choose'>;
  readonly sender: Pick<SettlementSender, 'publish'>;
  readonly screen: ScreenPayer;
  readonly clock: Clock;
  readonly confirmations?: readonly ConfirmationTier[];
}

/** What a batch is made of. */
interface Prepared {
  readonly refund: OpenRefund;
  readonly item: SettlementItem;
}

/**
 * Sends what was requested from the refund wallet, and reads from the token's logs what became of it. The nonce of the wallet's
 * authorization is the refund's own, so however often and by however many workers it is sent, the token takes it once.
 * The order survives a crash at every point: the event that the signature may be known, the signed transaction
 * in the book, the broadcast; what is missing is done by the next turn, or by the keeper of the lanes.
 */
export class RefundSender {
  /** Wallets that were seen without money, by token. */
  private readonly alarmed = new Set<string>();
  private readonly pauses = new Pauses();
  /** Position of the last request that was looked at; the next turn goes on behind it. */
  private seen = '0';
  /** Whether this turn looks at all. */
  private whole = false;

  constructor(
    private readonly deps: RefundSenderDeps,
    private readonly limit = LIMIT,
  ) {}

  /** One turn: the oldest, or those behind the ones that the turn before looked at. What fails holds up nothing else. */
  async step(): Promise<void> {
    const { chain, load, pool, tokens } = this.deps;
    const rows = await openRefunds(pool, chain.network, 'refund_wallet', this.limit, this.seen);
    this.whole = this.seen === '0' && rows.length < this.limit;
    this.seen = rows.length < this.limit ? '0' : rows.at(-1)!.position;
    const all = await stillOpen(load, rows);
    // One whose token cannot be read now keeps none of the others.
    const open = all.filter(({ terms }) => tokens.get(terms.asset) !== undefined);
    if (open.length === 0) return;
    const head = await chain.head();
    const unsent: OpenRefund[] = [];
    const failed: unknown[] = [];
    const note = (error: unknown) => failed.push(error);
    await forEachOf(open, async (refund) => {
      if (await this.follow(refund, head)) unsent.push(refund);
    }).catch(note);
    for (const group of groupsOf(unsent)) await this.send(group).catch(note);
    if (failed.length > 0) throw failed[0];
  }

  /** Writes what the chain says; `true` if the authorization is unused and can still be used. */
  private async follow(refund: OpenRefund, head: ChainHead): Promise<boolean> {
    if (refund.failed && refund.request.state === 'requested') {
      await withdraw(this.deps, refund);
      return false;
    }
    if (await this.isDecided(refund, head)) return false;
    const end = BigInt(refund.request.validBefore!);
    if (head.time < end) return true;
    // Asked again, since the transfer may have been mined before the clock was read.
    if (head.time < end + LAPSED_FOR || (await this.isDecided(refund, head))) return false;
    const detail = (await this.refusalOf(refund)) ?? this.pauses.reasonOf(refund.request.refund);
    await this.fail(refund, { reason: 'expired', ...(detail !== undefined && { detail: storable(detail) }) });
    return false;
  }

  private async isDecided({ payment, request, terms }: OpenRefund, head: ChainHead): Promise<boolean> {
    const { amount, refund, sender } = request;
    const token = this.tokenOf(terms.asset);
    const outcome = await this.deps.chain.authorizationOutcome(token, sender, refundNonce(refund));
    const verdict = verdictOf({ payee: terms.payer, amount }, outcome);
    if (verdict.kind === 'open') return false;
    this.pauses.forget(refund);
    const blocks = confirmationsFor(this.deps.confirmations ?? IN_A_BLOCK, token.decimals, BigInt(amount));
    // One block is enough as soon as a node has the log, though the head was read before it.
    if (blocks > 1 && head.number + 1n < verdict.block + BigInt(blocks)) return true;
    if (verdict.kind === 'failed') {
      const { reason, detail } = verdict.data as Omit<RefundFailed['data'], 'refund'>;
      await this.deps.executeRefund(new FailRefund(payment, { refund, reason, detail }));
      return true;
    }
    const found: Refund = { refund, amount, sender, ...verdict.data };
    const stream = transferStream(terms.network, found);
    // The refund wallet may be followed, too, being some tenant's.
    const transfer = knownTransfer(await this.deps.store.readStream(stream));
    await this.deps.executeRefund(new RecordRefund(payment, found, transfer));
    return true;
  }

  /** Of one wallet and token, the oldest first. */
  private async send(group: readonly OpenRefund[]): Promise<void> {
    const { book, chain, clock, lanes, sender, wallets } = this.deps;
    const onTheirWay = await book.onTheirWay(group.map(({ request }) => request.refund));
    const [away, waiting] = [true, false].map((is) =>
      group.filter(({ request }) => onTheirWay.has(request.refund) === is),
    );
    if (!wallets.has(group[0]!.request.sender) || !away || !waiting?.length) return;
    const token = this.tokenOf(group[0]!.terms.asset);
    const sendable = await this.sendable(token, waiting, away);
    if (sendable.length === 0) return;
    const items = sendable.map(({ item }) => item);
    const ids = sendable.map(({ refund }) => refund.request.refund);
    try {
      const signed = await recordNext(chain, lanes, book, [], (slot) => chain.sign(token, items, slot), ids);
      if (!signed) return;
      // Should the block come without its transfer, it is not signed again at once.
      for (const id of ids) this.pauses.begin(id, clock());
      await sender.publish(signed, []);
    } catch (error) {
      // Gas is short, or the node did not take it: the next turn tries again, or the keeper of the lanes.
      if (!(error instanceof SettlementPending || error instanceof FeeCapReached)) throw error;
      this.deps.log.debug({ err: error.message, refunds: ids.length }, 'refunds wait');
    }
  }

  /** The oldest ones that can be sent and that the wallet can pay together; what is too large for it waits alone. */
  private async sendable(
    token: Token,
    waiting: readonly OpenRefund[],
    away: readonly OpenRefund[],
  ): Promise<readonly Prepared[]> {
    const wallet = waiting[0]!.request.sender;
    let left = await asked('balance', balanceOf(this.deps.client, token, wallet));
    for (const { request } of away) left -= BigInt(request.amount);
    const found: Prepared[] = [];
    let short = false;
    for (const refund of waiting) {
      const amount = BigInt(refund.request.amount);
      if (amount > left) short = true;
      const item = amount <= left && found.length < BATCH_MAX ? await this.prepare(token, refund) : undefined;
      if (item === undefined) continue;
      left -= amount;
      found.push({ refund, item });
    }
    this.alarm(wallet, token.address, short);
    return found;
  }

  /** Signed, if it may be sent and the token takes what would be sent. */
  private async prepare(token: Token, refund: OpenRefund): Promise<SettlementItem | undefined> {
    const { chain, clock, wallets } = this.deps;
    const { request, terms } = refund;
    if (!this.pauses.isOver(request.refund, clock()) || !(await this.isClear(refund))) return undefined;
    if (request.state === 'requested' && !(await this.isTaken(refund))) return undefined;
    if (!(await this.submit(refund))) return undefined;
    const item = await wallets.sign(token, request, terms);
    const refusal = await chain.refusalOf(token, item);
    if (refusal === undefined) return item;
    if (!PASSING.test(refusal)) this.pause(refund, storable(refusal));
    return undefined;
  }

  /** Nothing is sent to a payer who is denied, nor while nobody can say. */
  private async isClear(refund: OpenRefund): Promise<boolean> {
    const verdict = await this.deps.screen(refund.terms.payer).catch((error: Error) => {
      this.deps.log.debug({ err: error.message, refund: refund.request.refund }, 'refunds wait for screening');
      return undefined;
    });
    if (verdict === 'denied') this.pause(refund, 'the payer is denied by screening');
    return verdict === 'clear';
  }

  /**
   * Would the token take it? It is asked by a plain transfer, so that not even the node sees a signature: a request that is
   * refused for good while nobody can have sent it is given up at once.
   */
  private async isTaken(refund: OpenRefund): Promise<boolean> {
    const refusal = await this.refusalOf(refund);
    if (refusal === undefined) return true;
    if (refund.request.state === 'requested' && !PASSING.test(refusal))
      await this.fail(refund, { reason: 'rejected_by_token', detail: storable(refusal) });
    return false;
  }

  private refusalOf({ request, terms }: OpenRefund): Promise<string | undefined> {
    const { asset, payer } = terms;
    return refusalOfSending(this.deps.client, this.tokenOf(asset), request.sender, payer, BigInt(request.amount));
  }

  /** `false` if it was cancelled or given up first, or if the payment is not on the chain any more: the stream's version decides. */
  private async submit({ payment, request }: OpenRefund): Promise<boolean> {
    const { executeRefund, load } = this.deps;
    const submitted = request.state === 'sent';
    const { state } = await (submitted ? load(payment) : executeRefund(new SubmitRefund(payment, request.refund)));
    return isRefundable(state) && requestOf(state, request.refund)?.state === 'sent';
  }

  /** Said once for each reason. */
  private pause({ request: { refund } }: OpenRefund, reason: string): void {
    if (this.pauses.reasonOf(refund) !== reason) this.deps.log.warn({ refund, reason }, 'a refund waits');
    this.pauses.begin(refund, this.deps.clock(), reason);
  }

  private async fail({ payment, request }: OpenRefund, failed: Omit<RefundFailed['data'], 'refund'>): Promise<void> {
    await this.deps.executeRefund(new FailRefund(payment, { refund: request.refund, ...failed }));
  }

  private alarm(wallet: Address, token: Address, empty: boolean): void {
    const key = `${wallet} ${token}`;
    if (empty === this.alarmed.has(key) || (!empty && !this.whole)) return;
    if (empty) this.alarmed.add(key);
    else this.alarmed.delete(key);
    if (empty) this.deps.log.warn({ wallet, token }, 'the refund wallet has too little for what is to be refunded');
    else this.deps.log.info({ wallet, token }, 'the refund wallet has enough again');
  }

  private tokenOf(asset: Address): Token {
    const token = this.deps.tokens.get(asset);
    if (!token) throw new Error(`refunds in ${asset} wait: the token cannot be read`);
    return token;
  }
}

function groupsOf(refunds: readonly OpenRefund[]): readonly (readonly OpenRefund[])[] {
  const groups = new Map<Hex, OpenRefund[]>();
  for (const one of refunds) {
    const key: Hex = `${one.request.sender}${one.terms.asset}` as Hex;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()];
}
