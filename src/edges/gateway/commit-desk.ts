import { createPublicKey, hash, type KeyObject } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import { AccountChanged } from '../../base/event-store/accounts.js';
import { HoldsRefused } from '../../base/event-store/unit-of-work.js';
import type { Logger } from '../../base/platform/logger.js';
import { WakeLoop } from '../../base/platform/wake-loop.js';
import { Problem } from '../../base/shared/problem.js';
import { readCommitmentSignature, staleness } from '../../base/x402/commitment-signature.js';
import type { Reason } from '../../base/x402/errors.js';
import type { DecodedCommitment } from '../../base/x402/payment-header.js';
import { isSignedWith, type RequestSignature } from '../../base/x402/request-signature.js';
import type { AccountBook, BilledAccount } from '../../domains/customers/account-book.js';
import { creditHold, isCredit } from '../../domains/limits/credit.js';
import { AcceptCommitment } from '../../domains/payments/commitment.decide.js';
import type { CommitmentAfter } from '../../domains/payments/commitment.handlers.js';
import { type CommitmentAccepted, type CommitmentId, commitmentIdOf } from '../../domains/payments/commitment.js';
import { sweepOrphanedCommitments } from '../../domains/payments/commitment.sweep.js';
import type { CatalogueFeed } from '../../domains/pricing/catalogue-feed.js';
import type { QuoteLock } from '../../domains/pricing/quote-lock.js';
import { caughtUp } from './caught-up.js';
import { type AcceptedCommitment, CommitmentDelivery, type CommitmentParts } from './commit-delivery.js';
import { CommitReplay, type CommitReplayParts } from './commit-replay.js';
import { type CommitmentVerdict, CURRENCY, checkCommitment, sellsLater } from './commit-terms.js';
import type { DeliveryDesk } from './delivery.js';
import type { FloodGuard } from './flood-guard.js';
import type { UpstreamLanes } from './lanes/upstream-lanes.js';
import type { LimitDesk } from './limit-desk.js';
import { type PaidCall, splitTarget } from './paid-call.js';
import type { RateLimits } from './rate-limits.js';
import { sendLimited } from './reply.js';
import type { UnpaidDesk } from './unpaid-desk.js';

const SWEEP_MS = 5_000;
/** Keys that are kept ready. */
const KEYS_MAX = 10_000;
/** An account that changes under each attempt is being changed by somebody all the time. */
const ATTEMPTS_MAX = 5;

export interface CommitDeskParts extends CommitmentParts, CommitReplayParts {
  readonly accounts: AccountBook;
  readonly catalogue: CatalogueFeed;
  readonly quotes: QuoteLock;
  readonly guard: FloodGuard;
  readonly rates: RateLimits;
  readonly lanes: UpstreamLanes;
  readonly limits: LimitDesk;
  readonly deliveries: DeliveryDesk;
  readonly unpaid: UnpaidDesk;
  readonly pool: Pool;
  /** Id of this gateway's lease. */
  readonly gateway: string;
  readonly log: Logger;
}

/** A commitment whose signature is one of the account's. */
interface Signed {
  readonly call: PaidCall;
  readonly payment: DecodedCommitment;
  readonly signature: RequestSignature;
  readonly account: BilledAccount;
  readonly id: CommitmentId;
  /** Base64url SHA-256 of the signature base. */
  readonly digest: string;
}
type Agreed = Extract<CommitmentVerdict, { ok: true }>;
type Refused = { readonly ok: false; readonly reason: Reason };

/** The requests that are signed for and paid later: checked here alone, one write in, one write out. */
export class CommitDesk {
  private readonly running = new Set<CommitmentId>();
  private readonly keys = new LRUCache<string, KeyObject>({ max: KEYS_MAX });
  private readonly replays: CommitReplay;
  private readonly loop: WakeLoop;

  constructor(private readonly parts: CommitDeskParts) {
    const { bus, gateway, log, pool } = parts;
    this.replays = new CommitReplay(parts);
    const sweep = () => sweepOrphanedCommitments(pool, bus, gateway, (id) => this.running.has(id));
    this.loop = new WakeLoop('orphaned commitments', sweep, SWEEP_MS, log);
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** @throws Problem if the signature cannot be read, a quota is used up, the nonce was used before, or the delivery fails */
  async serve(call: PaidCall, payment: DecodedCommitment, reply: ServerResponse): Promise<void> {
    const { accounts, guard, unpaid } = this.parts;
    if (!sellsLater(call, accounts)) return unpaid.refuse(call, reply, 'commitment_not_offered');
    const signature = readCommitmentSignature(messageOf(call), call.body);
    for (let attempt = 1; ; attempt++) {
      const account = this.signer(call, payment, signature);
      if (!account) return this.refuseSignature(call, reply);
      guard.sound(this.parts.clock());
      const id = commitmentIdOf(call.tenant.id, account.customer, signature.nonce);
      const digest = hash('sha256', signature.base, 'base64url');
      try {
        return await this.look({ call, payment, signature, account, id, digest }, reply);
      } catch (error) {
        if (!(error instanceof AccountChanged) || attempt === ATTEMPTS_MAX) throw error;
        await accounts.again();
      }
    }
  }

  /** The account whose key signed this, as far as it is known here. */
  private signer(call: PaidCall, payment: DecodedCommitment, signature: RequestSignature): BilledAccount | undefined {
    const account = this.parts.accounts.accountByKeyId(call.tenant.id, signature.keyId);
    if (!account || account.customer !== payment.payload.customer) return undefined;
    return isSignedWith(this.keyOf(account.keys.get(signature.keyId)!), signature) ? account : undefined;
  }

  private keyOf(jwk: { readonly kty: string; readonly crv: string; readonly x: string }): KeyObject {
    let key = this.keys.get(jwk.x);
    if (!key) {
      key = createPublicKey({ key: { ...jwk }, format: 'jwk' });
      this.keys.set(jwk.x, key);
    }
    return key;
  }

  private async refuseSignature(call: PaidCall, reply: ServerResponse): Promise<void> {
    const over = this.parts.guard.overInvalid(call, this.parts.clock());
    if (over) return sendLimited(reply, over);
    await this.parts.unpaid.refuse(call, reply, 'commitment_signature_invalid');
  }

  private async look(signed: Signed, reply: ServerResponse): Promise<void> {
    const { catalogue, clock, quotes, rates, unpaid } = this.parts;
    const { account, call, payment, signature } = signed;
    const now = clock();
    const stale = staleness(signature, now);
    const terms: Agreed | Refused = stale
      ? { ok: false, reason: stale }
      : await caughtUp(catalogue, () => checkCommitment(call, payment, account, catalogue.current, quotes, now));
    if (!terms.ok || account.status === 'suspended') {
      // The terms may have lapsed, or the account been suspended, since this was accepted; then it is a repeat.
      if (await this.repeated(signed, reply)) return;
      return unpaid.refuse(call, reply, terms.ok ? 'account_suspended' : terms.reason);
    }
    const limit = await rates.over(call.route, account.customer);
    if (limit === undefined) return this.run(signed, terms, reply);
    if (!(await this.repeated(signed, reply))) sendLimited(reply, limit);
  }

  /** Answers it if it was accepted before. */
  private async repeated({ call, digest, id }: Signed, reply: ServerResponse): Promise<boolean> {
    const found = await this.replays.find(id);
    if (!found) return false;
    await this.replays.answer(id, found, digest, call.route.timeoutMs, reply);
    return true;
  }

  /** Waits for its turn, is written down, runs. */
  private async run(signed: Signed, agreed: Agreed, reply: ServerResponse): Promise<void> {
    const { clock, deliveries, lanes, limits } = this.parts;
    const { call, id } = signed;
    const leave = await lanes.enter(call.route, call.urgency, agreed.quoteExpiresAt! * 1000 - clock(), reply);
    if (!leave) return;
    this.running.add(id);
    try {
      const after = await this.accept(signed, agreed);
      if (after === 'over_line') return await this.parts.unpaid.refuse(call, reply, 'credit_line_reached');
      if (after === 'repeated') {
        leave();
        return void (await this.repeated(signed, reply));
      }
      limits.tell(after.granted, reply);
      await deliveries.deliverNow(call, this.delivery(signed, agreed, after), reply);
    } finally {
      leave();
      this.running.delete(id);
    }
  }

  /** The one durable step before the request runs. @throws Problem 429, AccountChanged */
  private async accept(signed: Signed, agreed: Agreed): Promise<CommitmentAfter | 'over_line' | 'repeated'> {
    const { bus, clock, limits } = this.parts;
    const { account, call, id, payment, signature } = signed;
    const { amount } = payment.accepted;
    const { customer, revision, tenant } = account;
    const { meter, units } = agreed;
    const counted = { tenant: call.tenant, route: call.route.id, payer: customer, units, meter, amount };
    const holds = [creditHold(account, amount, account.creditLine), ...limits.quotasOf(counted, clock())];
    const at = { tenant, customer, revision };
    const command = new AcceptCommitment(id, this.acceptedOf(signed, agreed), holds, at, signature);
    try {
      return await bus.execute<AcceptCommitment, CommitmentAfter>(command);
    } catch (error) {
      if (error instanceof Problem && error.code === 'commitment_nonce_reused') return 'repeated';
      if (!(error instanceof HoldsRefused)) throw error;
      const quotas = error.refused.filter(({ request }) => !isCredit(request.key));
      // Paying at once would not get past them either.
      if (quotas.length > 0) throw limits.problemOf({ refused: quotas });
      return 'over_line';
    }
  }

  private acceptedOf(signed: Signed, agreed: Agreed): Omit<CommitmentAccepted['data'], 'holds'> {
    const { account, call, digest, payment, signature } = signed;
    const { method, resource, route, tenant, token, urgency } = call;
    return {
      ...{ tenant: tenant.id, customer: account.customer, route: route.id, method, resource },
      requestDigest: call.digest,
      ...{ amount: payment.accepted.amount.toString(), currency: CURRENCY },
      ...{ network: token.network, asset: token.address, tariff: agreed.tariff, quote: agreed.quote! },
      ...{ units: agreed.units.toString(), urgency, inputs: agreed.inputs },
      ...(agreed.class === undefined ? {} : { class: agreed.class }),
      ...{ key: signature.keyId, signed: digest, gateway: this.parts.gateway },
    };
  }

  private delivery({ call, id }: Signed, agreed: Agreed, { state }: CommitmentAfter): CommitmentDelivery {
    const { asked, tariff } = agreed;
    const version = this.parts.catalogue.current.tariffVersion(
      { tenant: call.tenant.id, tariff: tariff.id },
      tariff.version,
    );
    const commitment = { id, state: state as AcceptedCommitment['state'], version: version!, asked };
    return new CommitmentDelivery(this.parts, call, commitment);
  }
}

function messageOf({ message, method, query }: PaidCall) {
  const { path } = splitTarget(message.url ?? '/');
  return { method, authority: message.headers.host ?? '', path, query, rawHeaders: message.rawHeaders };
}
