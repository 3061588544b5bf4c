import type { CommandBus } from '@nestjs/cqrs';
import type { PayerState } from '../../base/chain/chain.js';
import { type Chains, chainOf } from '../../base/chain/chains.js';
import type { Payers } from '../../base/chain/payers.js';
import { checkSignature } from '../../base/chain/signatures.js';
import { VersionConflict } from '../../base/event-store/event.js';
import type { EventStore } from '../../base/event-store/event-store.js';
import { HoldsRefused, type StreamClaim } from '../../base/event-store/unit-of-work.js';
import { Problem } from '../../base/shared/problem.js';
import type { Reason } from '../../base/x402/errors.js';
import type { DecodedPayment } from '../../base/x402/payment-header.js';
import type { Screening } from '../../domains/customers/screening.port.js';
import type { GatewayLease } from '../../domains/payments/gateway-lease.js';
import { loadPayment, newPayment, type PaymentAfter } from '../../domains/payments/handler-for.js';
import { AuthorizePayment } from '../../domains/payments/payment.decide.js';
import { type Payment, type PaymentId, paymentIdOf } from '../../domains/payments/payment.js';
import {
  type IdentifiedPurchase,
  identifiedPurchase,
  identifierClaim,
  identifierStream,
} from '../../domains/payments/purchase-identifier.js';
import { authorizedTerms } from './authorized-terms.js';
import type { DoubtfulNonces } from './doubtful-nonces.js';
import type { Presented } from './flood-guard.js';
import type { GasDesk } from './gas-desk.js';
import type { LimitDesk } from './limit-desk.js';
import type { PaidCall } from './paid-call.js';
import { mustBeClear } from './screen-payer.js';
import { type AgreedTerms, presentableUntil } from './terms.js';
import { paysIn } from './top-ups.js';

/** The request was run, or is running, for this payment: `mine` if it was this very authorization. */
export interface Repeat {
  readonly kind: 'exists';
  readonly id: PaymentId;
  readonly payment: Payment;
  readonly mine: boolean;
}

/** What a look at a payment found. */
export type Finding =
  /** Nothing speaks against it: it may be admitted on these terms. */
  | { readonly kind: 'sound'; readonly agreed: AgreedTerms }
  | { readonly kind: 'refused'; readonly reason: Reason }
  | Repeat;

export type Admission =
  /** This presentation runs the request; `done` must be called when the delivery is recorded. */
  | { readonly kind: 'admitted'; readonly id: PaymentId; readonly payment: PaymentAfter; done(): void }
  | { readonly kind: 'refused'; readonly reason: Reason }
  | Repeat;

/** What an admission looks at of the request that is paid. */
export type Claimant = Pick<PaidCall, 'digest' | 'tenant' | 'token'>;

const IDENTIFIER_ATTEMPTS_MAX = 3;

/** Decides whether a payment runs its request. */
export class AdmissionDesk {
  constructor(
    private readonly bus: CommandBus,
    private readonly store: EventStore,
    private readonly payers: Payers,
    private readonly chains: Chains,
    private readonly lease: GatewayLease,
    private readonly screening: Screening,
    private readonly limits: LimitDesk,
    private readonly doubtful: Pick<DoubtfulNonces, 'until'>,
    private readonly gas: Pick<GasDesk, 'canSettle'>,
  ) {}

  /**
   * Reads what there is to know of a payment, and writes nothing.
   * @throws Problem `chain_unavailable`, `screening_unavailable`, `settlement_unavailable`, `payment_identifier_conflict`,
   *   `delivery_interrupted`
   */
  async vet(call: Claimant, by: Presented, agreed: AgreedTerms): Promise<Finding> {
    const { known, payment } = by;
    const id = idOf(call, payment);
    const { authorization } = payment;
    // A payer that we know nothing about may be one that was here before: look before asking the chain.
    if (!known || known.blocked || known.balance < authorization.value) {
      const earlier = await this.find(id);
      if (earlier) return earlier;
    }
    const believed = authorization.validBefore > this.doubtful.until(call.token.network) ? known : undefined;
    const asked = believed ?? (await this.ask(call, payment));
    // It may have been used by this very payment, taken and settled elsewhere since we looked.
    if ('reason' in asked) return (await this.find(id)) ?? { kind: 'refused', reason: asked.reason };
    const reason = await this.refusalOf(call, by, asked);
    if (reason) {
      // What the payer's identifier names may be paid already, with money that is missing or blocked now.
      const signed = reason !== 'invalid_exact_evm_payload_signature';
      const named = signed ? await this.identify(id, call, payment) : undefined;
      return named && 'kind' in named ? named : { kind: 'refused', reason };
    }
    if (!(await this.gas.canSettle(call.tenant))) return this.onlyRepeat(id, call, payment);
    await mustBeClear(this.screening, authorization.from);
    return { kind: 'sound', agreed };
  }

  /**
   * The one durable step before the request runs.
   * @param now epoch milliseconds
   * @throws Problem `payer_denied`, `payment_identifier_conflict`, `delivery_interrupted`, `quota_exceeded`,
   *   `spending_limit_reached`
   */
  async admit(call: PaidCall, by: Presented, agreed: AgreedTerms, now: number): Promise<Admission> {
    const { payment } = by;
    // What was known may be old by now, if the payment had to wait for its turn.
    const known = by.known && this.payers.known(call.token, payment.authorization.from);
    return this.claim(idOf(call, payment), call, payment, agreed, known?.balance, now);
  }

  /** A payment that this authorization began earlier, if there is one. */
  async find(id: PaymentId): Promise<Repeat | undefined> {
    const { state } = await loadPayment(this.store, id);
    return state.status === 'unknown' ? undefined : { kind: 'exists', id, payment: state, mine: true };
  }

  /** Marks a payment as in delivery here, until the returned function is called. */
  hold(id: PaymentId): () => void {
    return this.lease.hold(id);
  }

  private async ask(call: Claimant, { authorization }: DecodedPayment): Promise<PayerState | { reason: Reason }> {
    const { nonceUsed, state } = await this.payers.fetch(call.token, authorization.from, authorization.nonce);
    return nonceUsed ? { reason: 'invalid_exact_evm_nonce_already_used' } : state;
  }

  private async refusalOf(call: Claimant, by: Presented, payer: PayerState): Promise<Reason | undefined> {
    const { authorization, signature } = by.payment;
    const { client } = chainOf(this.chains, call.token.network);
    const { hasCode } = payer;
    const { ecdsa } = by;
    const verdict = await checkSignature({ token: call.token, authorization, signature, hasCode, ecdsa, client });
    if (!verdict.valid) return 'invalid_exact_evm_payload_signature';
    if (payer.blocked) return 'rejected_by_token';
    return payer.balance < authorization.value ? 'insufficient_funds' : undefined;
  }

  private async claim(
    id: PaymentId,
    call: PaidCall,
    payment: DecodedPayment,
    agreed: AgreedTerms,
    knownBalance: bigint | undefined,
    now: number,
  ): Promise<Admission> {
    const done = this.lease.hold(id);
    try {
      const admission = await this.claimOnce(id, call, payment, agreed, knownBalance, now, done);
      if (admission.kind !== 'admitted') done();
      return admission;
    } catch (error) {
      done();
      throw error;
    }
  }

  private async claimOnce(
    id: PaymentId,
    call: PaidCall,
    payment: DecodedPayment,
    agreed: AgreedTerms,
    knownBalance: bigint | undefined,
    now: number,
    done: () => void,
  ): Promise<Admission> {
    const terms = authorizedTerms(call, payment, agreed, this.lease.id, now);
    const { tenant } = call;
    const { from: payer, value: amount } = payment.authorization;
    const counted = { tenant, route: call.route.id, payer, units: agreed.units, meter: agreed.meter, amount };
    // A payer that nothing is known about is served once the money has moved.
    const known = call.route.mode === 'async' && knownBalance !== undefined;
    const exposure = known ? this.limits.exposureOf(counted, knownBalance) : [];
    const otherwise = call.route.mode === 'before' ? 'before' : 'after';
    // Nothing is used by paying in advance.
    const quotas = paysIn(call) ? [] : this.limits.quotasOf(counted, now);
    const attachments = [authorizationRow(id, payment)];
    for (let attempt = 1; ; attempt++) {
      const identified = await this.identify(id, call, payment);
      if (identified && 'kind' in identified) return identified;
      const command = new AuthorizePayment(
        ...([id, terms, exposure, attachments, newPayment, identified?.claim, quotas, otherwise] as const),
      );
      try {
        const after = await this.bus.execute<AuthorizePayment, PaymentAfter>(command);
        this.payers.reserve(call.token, payment.authorization.from, payment.authorization.value);
        return { kind: 'admitted', id, payment: after, done };
      } catch (error) {
        if (error instanceof Problem && error.code === 'authorization_used_elsewhere') return (await this.find(id))!;
        if (error instanceof HoldsRefused)
          return (
            (await this.begun(id, call, payment)) ?? this.overLimit(error, presentableUntil(call, payment, agreed))
          );
        // Another payment took the identifier between our look and our write: look again.
        if (!(error instanceof VersionConflict) || attempt === IDENTIFIER_ATTEMPTS_MAX) throw error;
      }
    }
  }

  /** What was taken before is answered. @throws Problem */
  private async onlyRepeat(id: PaymentId, call: Claimant, payment: DecodedPayment): Promise<Repeat> {
    const earlier = await this.begun(id, call, payment);
    if (!earlier) throw new Problem('settlement_unavailable');
    return earlier;
  }

  /** This very purchase, if it has been begun: by another gateway, or shown to us twice at once. */
  private async begun(id: PaymentId, call: Claimant, payment: DecodedPayment): Promise<Repeat | undefined> {
    const earlier = (await this.find(id)) ?? (await this.identify(id, call, payment));
    return earlier && 'kind' in earlier ? earlier : undefined;
  }

  /** Nothing was stored: the payer may present the same payment later. @param until when, in epoch milliseconds @throws Problem */
  private overLimit(error: HoldsRefused, until: number): Admission {
    const refusal = this.limits.refusalOf(error, until);
    if (refusal instanceof Problem) throw refusal;
    return { kind: 'refused', reason: refusal };
  }

  /** What the client's payment identifier says: a payment that it already names, or the claim to make. */
  private async identify(id: PaymentId, call: Claimant, payment: DecodedPayment) {
    const identifier = payment.x402Version === 2 ? payment.paymentIdentifier : undefined;
    if (identifier === undefined) return undefined;
    const stream = identifierStream(call.tenant.id, payment.authorization.from, identifier);
    const earlier = identifiedPurchase(await this.store.readStream(stream));
    if (earlier && earlier.requestDigest !== call.digest) throw new Problem('payment_identifier_conflict');
    const named = earlier && (await this.namedPayment(id, earlier));
    return named ?? { claim: identifierClaim(stream, earlier, id, call.digest) };
  }

  /**
   * The claim that goes with running a payment's request again.
   * @throws Problem `delivery_interrupted` if its identifier names another payment by now, or the payer is not served any more
   */
  async claimAgain(id: PaymentId, call: PaidCall, payment: DecodedPayment): Promise<StreamClaim | undefined> {
    await mustBeClear(this.screening, payment.authorization.from);
    const identifier = payment.x402Version === 2 ? payment.paymentIdentifier : undefined;
    if (identifier === undefined) return undefined;
    const stream = identifierStream(call.tenant.id, payment.authorization.from, identifier);
    const named = identifiedPurchase(await this.store.readStream(stream));
    if (named?.payment !== id) throw new Problem('delivery_interrupted');
    return identifierClaim(stream, named, id, call.digest);
  }

  /** The payment an identifier names, unless nothing was delivered or paid under it, so that it may name a new one. */
  private async namedPayment(id: PaymentId, { payment }: IdentifiedPurchase): Promise<Repeat | undefined> {
    const { state } = await loadPayment(this.store, payment);
    if (['unknown', 'released', 'refunded'].includes(state.status)) return undefined;
    if (state.status === 'settlement_failed' && state.authorized.mode !== 'async') return undefined;
    if (state.status === 'interrupted') {
      if (state.authorized.idempotent) return undefined;
      throw new Problem('delivery_interrupted');
    }
    return { kind: 'exists', id: payment, payment: state, mine: payment === id };
  }
}

export function idOf(call: Pick<PaidCall, 'token'>, { authorization }: DecodedPayment): PaymentId {
  const { network, address: asset } = call.token;
  return paymentIdOf({ network, asset, payer: authorization.from, nonce: authorization.nonce });
}

export function authorizationRow(id: PaymentId, { authorization, signature }: DecodedPayment) {
  return {
    table: 'authorizations',
    row: {
      payment_id: id,
      signature: Buffer.from(signature.slice(2), 'hex'),
      valid_before: authorization.validBefore.toString(),
    },
  } as const;
}
