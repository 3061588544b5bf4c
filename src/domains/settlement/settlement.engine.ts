import { ChainUnavailable, type Token } from '../../base/chain/chain.js';
import { type Clock, epochSeconds } from '../../base/shared/clock.js';
import type { Address } from '../../base/shared/hex.js';
import { wasShown } from '../payments/delegation.js';
import type { Known } from '../payments/payment.decide.js';
import type { PaymentId } from '../payments/payment.js';
import {
  ConfirmSettlement,
  FailSettlement,
  HoldSettlement,
  isOpen,
  isUnsent,
  transactionsOf,
} from '../payments/settle.decide.js';
import type { GasPrices } from './batch-plan.js';
import { BatchQueue } from './batch-queue.js';
import { ConfirmationWatch } from './confirmation-watch.js';
import { type ConfirmationTier, IN_A_BLOCK } from './confirmations.js';
import type { RemoteSettlement } from './facilitators/remote-settlement.js';
import type { NetworkFees } from './network-fees.js';
import { OutcomeRecorder } from './outcome-recorder.js';
import { failureOf, hasExpired, type Verdict, verdictOf } from './settlement.outcome.js';
import { type ScreenPayer, type SettleItem, SettlementPending } from './settlement.ports.js';
import { goesAtOnce } from './settlement.priority.js';
import { type SenderDeps, SettlementSender, settlementItem } from './settlement.sender.js';
import type { SettlementTransaction } from './settlement-transactions.js';
import { TransactionWatch } from './transaction-watch.js';

/** The host's clock and the chain's are believed to be apart by this much at most, in milliseconds. */
const CLOCKS_APART_MS = 60_000;

export interface EngineDeps extends SenderDeps {
  readonly clock: Clock;
  readonly fees: NetworkFees;
  readonly screen: ScreenPayer;
  /** Blocks that a settlement needs, by its amount; one if nothing is said. */
  readonly confirmations?: readonly ConfirmationTier[];
  /** Outside facilitators, if tenants may use them. */
  readonly remote?: RemoteSettlement;
  /** Never rejects. */
  readonly prices: () => Promise<GasPrices>;
}

/**
 * Takes one open payment to its end. Knows no queue: call `settle` until it resolves. Any number of
 * processes may do so for the same payment; streams, the book of transactions and the chain decide between them.
 */
export class SettlementEngine {
  readonly sender: SettlementSender;
  readonly outcomes: OutcomeRecorder;
  private readonly watch: TransactionWatch;
  private readonly confirmations: ConfirmationWatch;
  /** By token. */
  private readonly batches = new Map<Address, BatchQueue>();

  constructor(private readonly deps: EngineDeps) {
    this.sender = new SettlementSender(deps);
    this.outcomes = new OutcomeRecorder(deps.chain, deps.book, deps.fees);
    this.watch = new TransactionWatch(deps.chain, deps.book, this.outcomes);
    this.confirmations = new ConfirmationWatch(deps.chain, deps.confirmations ?? IN_A_BLOCK);
  }

  /**
   * Resolves when the payment has its outcome, or when there is nothing to settle. Rejects with `SettlementPending`
   * or `ChainUnavailable` while the outcome is unknown: try again later, and with `AwaitsBlocks` while it is in a block that
   * too few others stand on. `again` says that an earlier attempt may
   * have got anywhere, so the chain is asked before anything is signed.
   */
  async settle(id: PaymentId, again: boolean): Promise<void> {
    const found = itemOf(id, await this.deps.load(id));
    if (!found) return;
    await this.confirmations.mustBeDue(id);
    const token = this.tokenOf(found);
    const item = isUnsent(found.state) && !again ? found : await this.resume(token, found);
    if (!item) return;
    // Should the chain take its earlier transaction yet, that is owed back; nobody sends another.
    if (item.state.status === 'undelivered') throw new SettlementPending('nothing was delivered for it');
    await this.mustBeClear(item);
    const ours = await this.leave(token, item, again);
    if (ours) await this.settleHere(token, ours, again);
  }

  private async settleHere(token: Token, item: SettleItem, again: boolean): Promise<void> {
    const { mode, urgency } = item.state.authorized;
    // What was tried before has waited before.
    const urgent = again || goesAtOnce(mode, urgency);
    const { after, transaction } = await this.batchesOf(token).add(item, urgent);
    await this.watch.mined(transaction);
    const sent = itemOf(item.id, after);
    if (!sent || (await this.examine(token, sent)) || (await this.weigh(token, sent))) return;
    throw new SettlementPending('not transferred yet');
  }

  /** To the facilitators of its tenant, if there are any; the item if it is for the settlers here, `undefined` if all is done. */
  private async leave(token: Token, item: SettleItem, again: boolean): Promise<SettleItem | undefined> {
    const { remote } = this.deps;
    if (!remote?.concerns(item)) return item;
    // Nobody outside is shown what the token would refuse.
    if (!again && (await this.weigh(token, item))) return undefined;
    const left = await remote.settle(token, item);
    if (left.to === 'settlers') return left.item;
    if (await this.examine(token, left.item)) return undefined;
    throw new SettlementPending('the transfer is not there any more');
  }

  /** Before anything is signed. A payer who is denied keeps the money for now, and the payment says why it waits. */
  private async mustBeClear(item: SettleItem): Promise<void> {
    const verdict = await this.deps.screen(item.state.authorized.terms.payer).catch((cause: Error) => {
      throw new SettlementPending(cause.message, { cause });
    });
    if (verdict === 'clear') return;
    await this.deps.execute(new HoldSettlement(item.id, { reason: 'screening_denied' }, item));
    throw new SettlementPending('the payer is denied by screening');
  }

  /** Ends all waiting, and resolves when the connections to facilitators are closed; attempts under way reject with `SettlementPending`. */
  async stop(): Promise<void> {
    for (const batches of this.batches.values()) batches.stop();
    this.watch.stop();
    await this.deps.remote?.stop();
  }

  /** Picks up after an earlier attempt: the item if a transaction may be signed for it, `undefined` if all is done. */
  private async resume(token: Token, found: SettleItem): Promise<SettleItem | undefined> {
    let item = found;
    if (await this.examine(token, item)) return undefined;
    const open = (await this.deps.book.naming([item.id])).findLast(({ status }) => status === 'submitted');
    if (open) {
      const followed = await this.follow(open, item);
      if (!followed || (await this.examine(token, followed))) return undefined;
      item = followed;
    }
    return (await this.weigh(token, item)) ? undefined : item;
  }

  /** A signed transaction may be mined as long as its nonce is free: publish the same bytes again and wait. */
  private async follow(open: SettlementTransaction, item: SettleItem): Promise<SettleItem | undefined> {
    const attempts = await this.deps.book.attempts(open);
    if ((await this.outcomes.lookAt(attempts)) === 'mined') return item;
    const newest = attempts.at(-1)!;
    const submission = (await this.sender.publish(newest, newest.payments, [item])).get(item.id);
    if (!submission) return undefined;
    await this.watch.mined(submission.transaction);
    return itemOf(item.id, submission.after);
  }

  /** Asks the chain for facts that no later transaction can change; `true` if the payment is decided by them. */
  private async examine(token: Token, item: SettleItem): Promise<boolean> {
    const { terms } = item.state.authorized;
    const ask = async () =>
      verdictOf(terms, await this.deps.chain.authorizationOutcome(token, terms.payer, terms.nonce));
    let verdict = await ask();
    if (verdict.kind === 'open') {
      const { time } = await this.deps.chain.head();
      if (!hasExpired(terms, time)) return false;
      this.mustBePast(time);
      // Asked again, since a transfer may have been mined before the clock was read.
      verdict = await ask();
      if (verdict.kind === 'open') return this.fail(item, { reason: 'authorization_expired' });
    }
    // Also what speaks against the payment can go with its block.
    await this.confirmations.mustStand(item.id, token, BigInt(terms.amount), verdict.block);
    if (verdict.kind === 'failed') return this.fail(item, verdict.data);
    const by = (await this.isOurs(verdict, item)) ? 'settler' : 'other';
    await this.deps.execute(new ConfirmSettlement(item.id, { ...verdict.data, by }, item));
    return true;
  }

  /** By its sender, since a restored book may not know it; by the book, since the key may be a new one. */
  private async isOurs({ data, sender }: Extract<Verdict, { kind: 'settled' }>, item: SettleItem): Promise<boolean> {
    if (this.deps.chain.settlers.includes(sender) || transactionsOf(item.state).includes(data.transaction)) return true;
    return (await this.deps.book.find(data.transaction)) !== undefined;
  }

  /**
   * The authorization is unused and no transaction of ours is under way: `false` if one may be signed, `true` if the
   * payment was failed. A payer who could not pay is refused for good, but in mode `async`: there the answer is
   * out, so it is tried until the authorization expires, but nothing is spent on what the token would refuse; so it is
   * with what a facilitator was shown, who may broadcast it later.
   */
  private async weigh(token: Token, item: SettleItem): Promise<boolean> {
    const signature = (await this.deps.signatures([item.id])).get(item.id);
    if (!signature) throw new SettlementPending('the signature is missing; waiting for the authorization to expire');
    const refusal = await this.deps.chain.refusalOf(token, settlementItem(item.state, signature));
    if (refusal === undefined) return false;
    if (item.state.authorized.mode === 'async' || wasShown(item.state)) {
      // A chain without traffic makes no blocks, so its clock stands still. Our transaction makes one.
      if (this.isOverdue(item)) return false;
      throw new SettlementPending(refusal);
    }
    // The chain may have moved since it was examined: only a refusal that leaves it unused is the payer's failure.
    if (await this.examine(token, item)) return true;
    const failure = failureOf(refusal);
    if (!failure) throw new SettlementPending(refusal);
    return this.fail(item, failure);
  }

  private async fail(item: SettleItem, failed: FailSettlement['failed']): Promise<true> {
    const after = await this.deps.execute(new FailSettlement(item.id, failed, transactionsOf(item.state), item));
    if (isOpen(after.state)) throw new SettlementPending('submitted anew meanwhile');
    return true;
  }

  /** A node whose newest block is from the future must not make an authorization lapse. */
  private mustBePast(chainTime: bigint): void {
    if (chainTime <= BigInt(epochSeconds(this.deps.clock() + CLOCKS_APART_MS))) return;
    throw new ChainUnavailable(`the newest block is from the future: ${chainTime}`);
  }

  private isOverdue({ state }: SettleItem): boolean {
    return hasExpired(state.authorized.terms, BigInt(epochSeconds(this.deps.clock() - CLOCKS_APART_MS)));
  }

  private tokenOf(item: SettleItem): Token {
    const { asset, network } = item.state.authorized.terms;
    const token = this.deps.tokens.get(asset);
    if (!token || token.network !== network) throw new Error(`no settler for ${network}/${asset}`);
    return token;
  }

  private batchesOf(token: Token): BatchQueue {
    const known = this.batches.get(token.address);
    if (known) return known;
    const { clock, lanes, prices } = this.deps;
    const send = (items: readonly SettleItem[]) => this.sender.send(token, items);
    const batches = new BatchQueue({ send, room: () => lanes.room(), prices, clock });
    this.batches.set(token.address, batches);
    return batches;
  }
}

function itemOf(id: PaymentId, { state, version }: Known): SettleItem | undefined {
  return isOpen(state) ? { id, version, state } : undefined;
}
