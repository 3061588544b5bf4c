import { type ChainHead, FeeCapReached, type Token } from '../../../base/chain/chain.js';
import { asked } from '../../../base/chain/chain-client.js';
import { balanceOf, refusalOfSending } from '../../../base/chain/token-calls.js';
import type { Address, Hex } from '../../../base/shared/hex.js';
import { RecordRefund, requestOf, transferStream } from '../../payments/payment.refund.js';
import { FailRefund, SubmitRefund } from '../../payments/refund.decide.js';
import { type Refund, type RefundFailed, refundNonce } from '../../payments/refund.js';
import { openRefunds } from '../../payments/refunds.queries.js';
import { knownTransfer } from '../../payments/transfer.js';
import { type ConfirmationTier, confirmationsFor, IN_A_BLOCK } from '../confirmations.js';
import { storable, verdictOf } from '../settlement.outcome.js';
import { SettlementPending } from '../settlement.ports.js';
import type { SettlementSender } from '../settlement.sender.js';
import type { TransactionBook } from '../settlement-transactions.js';
import type { SettlerLanes } from '../settler-lanes.js';
import { recordNext } from '../settler-nonces.js';
import { forEachOf, type OpenRefund, type RefundDeps, stillOpen } from './refund.ports.js';
import type { RefundWallets } from './refund-wallets.js';

/** Requests looked at in one turn, and refunds in one transaction. */
const LIMIT = 200;
const BATCH_MAX = 40;
/** A refund whose time is over is given up that much later by the chain's clock, in case its last blocks are replaced. Seconds. */
const LAPSED_FOR = 600n;
/** What passes: the wallet is filled, the token goes on. Anything else that the token says is about this payer. */
const PASSING = /exceeds balance|insufficient|paused/i;

export interface RefundSenderDeps extends RefundDeps {
  readonly wallets: RefundWallets;
  readonly book: TransactionBook;
  readonly lanes: Pick<SettlerLanes, 'choose'>;
  readonly sender: Pick<SettlementSender, 'publish'>;
  readonly confirmations?: readonly ConfirmationTier[];
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

  constructor(private readonly deps: RefundSenderDeps) {}

  /** One turn. */
  async step(): Promise<void> {
    const { chain, load, pool, tokens } = this.deps;
    const all = await stillOpen(load, await openRefunds(pool, chain.network, 'refund_wallet', LIMIT));
    // One whose token cannot be read now keeps none of the others.
    const open = all.filter(({ terms }) => tokens.get(terms.asset) !== undefined);
    if (open.length === 0) return;
    const head = await chain.head();
    const unsent: OpenRefund[] = [];
    await forEachOf(open, async (refund) => {
      if (await this.follow(refund, head)) unsent.push(refund);
    });
    for (const group of groupsOf(unsent)) await this.send(group);
  }

  /** Writes what the chain says; `true` if the authorization is unused and can still be used. */
  private async follow(refund: OpenRefund, head: ChainHead): Promise<boolean> {
    if (await this.isDecided(refund, head)) return false;
    const end = BigInt(refund.request.validBefore!);
    if (head.time < end) return true;
    // Asked again, since the transfer may have been mined before the clock was read.
    if (head.time < end + LAPSED_FOR || (await this.isDecided(refund, head))) return false;
    const detail = await this.refusalOf(refund);
    await this.fail(refund, { reason: 'expired', ...(detail !== undefined && { detail: storable(detail) }) });
    return false;
  }

  private async isDecided({ payment, request, terms }: OpenRefund, head: ChainHead): Promise<boolean> {
    const { amount, refund, sender } = request;
    const token = this.tokenOf(terms.asset);
    const outcome = await this.deps.chain.authorizationOutcome(token, sender, refundNonce(refund));
    const verdict = verdictOf({ payee: terms.payer, amount }, outcome);
    if (verdict.kind === 'open') return false;
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
    const { book, chain, lanes, sender, wallets } = this.deps;
    const onTheirWay = await book.onTheirWay(group.map(({ request }) => request.refund));
    const [away, waiting] = [true, false].map((is) =>
      group.filter(({ request }) => onTheirWay.has(request.refund) === is),
    );
    if (!wallets.has(group[0]!.request.sender) || !away || !waiting?.length) return;
    const token = this.tokenOf(group[0]!.terms.asset);
    const sendable: OpenRefund[] = [];
    for (const refund of await this.affordable(token, waiting, away)) {
      if (sendable.length < BATCH_MAX && (await this.isTaken(refund)) && (await this.submit(refund)))
        sendable.push(refund);
    }
    if (sendable.length === 0) return;
    const items = await Promise.all(sendable.map(({ request, terms }) => wallets.sign(token, request, terms)));
    const ids = sendable.map(({ request }) => request.refund);
    try {
      const signed = await recordNext(chain, lanes, book, [], (slot) => chain.sign(token, items, slot), ids);
      if (signed) await sender.publish(signed, []);
    } catch (error) {
      // Gas is short, or the node did not take it: the next turn tries again, or the keeper of the lanes.
      if (!(error instanceof SettlementPending || error instanceof FeeCapReached)) throw error;
      this.deps.log.debug({ err: error.message, refunds: ids.length }, 'refunds wait');
    }
  }

  /** The oldest ones that the wallet can pay together. */
  private async affordable(
    token: Token,
    waiting: readonly OpenRefund[],
    away: readonly OpenRefund[],
  ): Promise<readonly OpenRefund[]> {
    const wallet = waiting[0]!.request.sender;
    let left = await asked('balance', balanceOf(this.deps.client, token, wallet));
    for (const { request } of away) left -= BigInt(request.amount);
    const enough = waiting.findIndex(({ request }) => {
      left -= BigInt(request.amount);
      return left < 0n;
    });
    this.alarm(wallet, token.address, enough !== -1);
    return enough === -1 ? waiting : waiting.slice(0, enough);
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

  /** `false` if it was cancelled or given up first: the stream's version decides. */
  private async submit({ payment, request }: OpenRefund): Promise<boolean> {
    if (request.state === 'sent') return true;
    const { state } = await this.deps.executeRefund(new SubmitRefund(payment, request.refund));
    return requestOf(state, request.refund)?.state === 'sent';
  }

  private async fail({ payment, request }: OpenRefund, failed: Omit<RefundFailed['data'], 'refund'>): Promise<void> {
    await this.deps.executeRefund(new FailRefund(payment, { refund: request.refund, ...failed }));
  }

  private alarm(wallet: Address, token: Address, empty: boolean): void {
    const key = `${wallet} ${token}`;
    if (empty === this.alarmed.has(key)) return;
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
