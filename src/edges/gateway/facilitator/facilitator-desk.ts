import type { CommandBus } from '@nestjs/cqrs';
import type { Token } from '../../../base/chain/chain.js';
import type { Payers } from '../../../base/chain/payers.js';
import { PayerDenied } from '../../../base/event-store/standings.js';
import { HoldsRefused } from '../../../base/event-store/unit-of-work.js';
import { type Clock, epochSeconds } from '../../../base/shared/clock.js';
import type { Hex, Network } from '../../../base/shared/hex.js';
import { Problem } from '../../../base/shared/problem.js';
import type { FacilitatorReason, FacilitatorRequest } from '../../../base/x402/facilitator.js';
import type { StandingBook } from '../../../domains/customers/standing-book.js';
import { FACILITATOR, TakeFacilitated } from '../../../domains/payments/facilitated.decide.js';
import type { OutcomeWatch } from '../../../domains/payments/outcome-watch.js';
import type { Payment, PaymentId } from '../../../domains/payments/payment.js';
import type { Tenant } from '../../../domains/pricing/catalogue.schemas.js';
import { requestDigest } from '../../../domains/pricing/request-digest.js';
import { type AdmissionDesk, authorizationRow, idOf } from '../admission.js';
import { presented } from '../flood-guard.js';
import type { LimitDesk } from '../limit-desk.js';
import { termsRefusal } from './facilitator-terms.js';

/** How long a settlement may take before the server is told to ask again, in milliseconds. Proxies often give up after 60 s. */
const SETTLEMENT_WAIT_MS = 30_000;
const RESOURCE_LENGTH_MAX = 2_048;

export interface FacilitatorParts {
  readonly admissions: AdmissionDesk;
  readonly payers: Payers;
  readonly standings: StandingBook;
  readonly limits: LimitDesk;
  readonly watch: OutcomeWatch;
  readonly bus: CommandBus;
  /** @throws Problem if no payment can be taken in it */
  readonly tokenOf: (tenant: Tenant) => Token;
  readonly isServed: (network: Network) => boolean;
  /** Id of this gateway's lease. */
  readonly gateway: string;
  readonly clock: Clock;
}

/** Why it is not, or not yet, paid. `headers` say when to come back after a limit. */
export interface Refused {
  readonly refused: FacilitatorReason;
  readonly headers?: Readonly<Record<string, string>>;
  /** One that is broadcast and may pay yet. */
  readonly transaction?: Hex | undefined;
}

export type Settled = { readonly transaction: Hex } | Refused;

/** Verifies and settles payments to a tenant for other servers of it, by the book in which the gateway's own payments are. */
export class FacilitatorDesk {
  constructor(private readonly parts: FacilitatorParts) {}

  /** Networks on which this tenant can be paid now: its own, or none since that is not served any more. */
  networksFor({ network }: Tenant): readonly Network[] {
    return this.parts.isServed(network) ? [network] : [];
  }

  /** `undefined` if nothing speaks against it. Writes nothing. @throws Problem if a store, the chain or the screening is away */
  async verify(tenant: Tenant, request: FacilitatorRequest): Promise<FacilitatorReason | undefined> {
    const token = this.parts.tokenOf(tenant);
    const reason = termsRefusal(request, tenant, this.parts.clock());
    if (reason) return reason;
    const earlier = await this.parts.admissions.find(idOf({ token }, request.payment));
    // It has paid for something, or is about to: another answer would be for nothing.
    return earlier ? 'invalid_exact_evm_nonce_already_used' : this.vet(tenant, token, request);
  }

  /**
   * Settles once, whatever is sent again, to whichever gateway; a repeat waits for the same outcome.
   * @throws Problem as above
   */
  async settle(tenant: Tenant, request: FacilitatorRequest): Promise<Settled> {
    const token = this.parts.tokenOf(tenant);
    const id = idOf({ token }, request.payment);
    const earlier = await this.parts.admissions.find(id);
    if (earlier) return this.outcome(id, earlier.payment, tenant, request);
    const reason = termsRefusal(request, tenant, this.parts.clock());
    if (reason) return { refused: reason };
    const unsound = await this.vet(tenant, token, request);
    const refused = unsound ? { refused: unsound } : await this.take(id, tenant, token, request);
    // Another gateway may have taken it since our look: that it is used, its payer's balance gone or a limit reached is by itself then.
    const taken = await this.parts.admissions.find(id);
    if (!taken && refused) return refused;
    if (!taken) throw new Error(`${id} has no events`);
    return this.outcome(id, taken.payment, tenant, request);
  }

  private async vet(
    tenant: Tenant,
    token: Token,
    { payment }: FacilitatorRequest,
  ): Promise<FacilitatorReason | undefined> {
    const { admissions, payers, standings } = this.parts;
    const payer = payment.authorization.from;
    const by = presented(token, payment, payers.known(token, payer));
    if (by.proof === 'wrong') return 'invalid_exact_evm_payload_signature';
    if (standings.isDenied(tenant.id, payer)) return 'payer_denied';
    try {
      const claimant = { tenant, token, digest: '' };
      const finding = await admissions.vet(claimant, by, agreed);
      if (finding.kind === 'sound') return undefined;
      return finding.kind === 'refused' ? finding.reason : 'invalid_exact_evm_nonce_already_used';
    } catch (error) {
      if (error instanceof Problem && error.code === 'payer_denied') return 'payer_denied';
      throw error;
    }
  }

  /** Writes it down, unless somebody has done so meanwhile. */
  private async take(
    id: PaymentId,
    tenant: Tenant,
    token: Token,
    request: FacilitatorRequest,
  ): Promise<Refused | undefined> {
    const { bus, clock, limits, payers } = this.parts;
    const now = clock();
    const { from: payer, value: amount } = request.payment.authorization;
    const quotas = limits.quotasOf({ tenant, route: FACILITATOR, payer, units: 1n, amount }, now);
    const terms = this.termsOf(tenant, request, now);
    try {
      await bus.execute(new TakeFacilitated(id, terms, [authorizationRow(id, request.payment)], quotas));
      payers.reserve(token, payer, amount);
    } catch (error) {
      if (error instanceof HoldsRefused) return overLimit(limits.refusalOf(error));
      if (error instanceof PayerDenied) return { refused: 'payer_denied' };
      if (!(error instanceof Problem) || error.code !== 'authorization_used_elsewhere') throw error;
    }
    return undefined;
  }

  private termsOf(tenant: Tenant, { payment, resource }: FacilitatorRequest, now: number): TakeFacilitated['terms'] {
    const { from, nonce, to, validAfter, validBefore, value } = payment.authorization;
    const sold = resourceOf(resource);
    return {
      tenant: tenant.id,
      method: 'POST',
      resource: sold,
      requestDigest: requestDigest('POST', '/facilitator/settle', '', Buffer.from(sold)),
      payloadDigest: payment.payloadDigest,
      x402Version: payment.x402Version,
      terms: {
        network: tenant.network,
        asset: tenant.asset,
        payer: from,
        payee: to,
        amount: value.toString(),
        validAfter: validAfter.toString(),
        validBefore: validBefore.toString(),
        nonce,
      },
      units: '1',
      authorizedAt: epochSeconds(now).toString(),
      idempotent: false,
      gateway: this.parts.gateway,
    };
  }

  /** Of this very payment, to the same tenant: settled ones are public, so nobody else may say that it paid for theirs. */
  private async outcome(id: PaymentId, state: Payment, tenant: Tenant, request: FacilitatorRequest): Promise<Settled> {
    if (state.status === 'unknown') throw new Error(`${id} has no events`);
    const { payloadDigest, route, tenant: owner } = state.authorized;
    const same = owner === tenant.id && route === FACILITATOR && payloadDigest === request.payment.payloadDigest;
    if (!same) return { refused: 'invalid_exact_evm_nonce_already_used' };
    const outcome = await this.parts.watch.waitFor(id, isFinal, SETTLEMENT_WAIT_MS);
    if (outcome.status === 'settled') return { transaction: outcome.settled.transaction };
    if (outcome.status === 'settlement_failed') return { refused: outcome.failed.reason };
    const transaction = outcome.status === 'submitted' ? outcome.transactions.at(-1) : undefined;
    return { refused: 'settlement_pending', transaction };
  }
}

const agreed = { tariff: { id: FACILITATOR, version: 1 }, units: 1n, inputs: {} };

function isFinal({ status }: Payment): boolean {
  return status === 'settled' || status === 'settlement_failed';
}

function overLimit(refusal: Problem | 'price_above_limit'): Refused {
  if (refusal === 'price_above_limit') return { refused: refusal };
  const refused = refusal.code === 'spending_limit_reached' ? 'spending_limit_reached' : 'quota_exceeded';
  return { refused, headers: refusal.headers };
}

/** Without its query, which can hold personal data; `-` if it names nothing on the web. */
function resourceOf(text: string | undefined): string {
  const url = text === undefined || text.length > RESOURCE_LENGTH_MAX ? null : URL.parse(text);
  return url && /^https?:$/.test(url.protocol) ? url.origin + url.pathname : '-';
}
