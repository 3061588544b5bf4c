import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Token } from '../../base/chain/chain.js';
import type { Logger } from '../../base/platform/logger.js';
import { Problem } from '../../base/shared/problem.js';
import type { Reason } from '../../base/x402/errors.js';
import {
  type DecodedCommitment,
  type DecodedPayment,
  decodePayment,
  isCommitment,
  type PaymentHeaders,
} from '../../base/x402/payment-header.js';
import type { AccountBook } from '../../domains/customers/account-book.js';
import type { StandingBook } from '../../domains/customers/standing-book.js';
import type { CatalogueFeed } from '../../domains/pricing/catalogue-feed.js';
import type { QuoteLock } from '../../domains/pricing/quote-lock.js';
import { asProblem } from '../problem.js';
import { type Finding, idOf, type Repeat } from './admission.js';
import { caughtUp } from './caught-up.js';
import type { CommitDesk } from './commit-desk.js';
import type { FloodGuard, Presented } from './flood-guard.js';
import type { InvoiceDesk } from './invoice-desk.js';
import { withDue, withinDue } from './invoice-terms.js';
import type { UpstreamLanes } from './lanes/upstream-lanes.js';
import { hostOf, type PaidCall, paidCall, splitTarget } from './paid-call.js';
import type { AddressOf } from './public-address.js';
import type { RateLimits } from './rate-limits.js';
import { readBody } from './read-body.js';
import { sendLimited, sendPreflight, sendProblem, sendWhole } from './reply.js';
import { RunDesk, type RunParts } from './run-desk.js';
import { type AgreedTerms, checkTerms } from './terms.js';
import { checkTopUp, isInvoice, isTopUp } from './top-ups.js';

/** Time to record deliveries that were given up, in milliseconds. */
const GIVE_UP_MS = 3_000;
const WRONG_SIGNATURE: Reason = 'invalid_exact_evm_payload_signature';

export interface DataPlaneParts extends RunParts {
  readonly catalogue: CatalogueFeed;
  readonly quotes: QuoteLock;
  readonly standings: StandingBook;
  readonly accounts: AccountBook;
  readonly commits: CommitDesk;
  readonly invoices: InvoiceDesk;
  readonly guard: FloodGuard;
  readonly rates: RateLimits;
  readonly lanes: UpstreamLanes;
  /** By network and asset of the tenants. */
  /** @throws Problem if no payment can be taken in it */
  readonly tokenOf: (tenant: PaidCall['tenant']) => Token;
  readonly addressOf: AddressOf;
  readonly log: Logger;
}

type TermsCheck = () => ReturnType<typeof checkTerms>;

/** The flow of one request to a priced route: offer, or check, admit, deliver, answer. */
export class DataPlane {
  private running = 0;
  private idle: (() => void) | undefined;
  private readonly runs: RunDesk;

  constructor(private readonly parts: DataPlaneParts) {
    this.runs = new RunDesk(parts);
  }

  /** Never rejects: every failure becomes a reply. */
  async handle(message: IncomingMessage, reply: ServerResponse): Promise<void> {
    this.running++;
    try {
      await this.serve(message, reply);
    } catch (error) {
      // What is left of a body that was not read would be taken for the next request.
      if (!message.complete) reply.shouldKeepAlive = false;
      const problem = asProblem(error);
      if (problem.status >= 500)
        this.parts.log.error({ code: problem.code, err: (error as Error).message }, 'request failed');
      sendProblem(reply, problem);
    } finally {
      this.running--;
      if (this.running === 0) this.idle?.();
    }
  }

  /**
   * Resolves when no request is running. Deliveries that run longer than `timeoutMs` are given up, and what still waits
   * for its settlement some seconds later is left to its client's repeat.
   */
  async drain(timeoutMs: number): Promise<void> {
    if (this.running === 0) return;
    const idle = new Promise<void>((resolve) => {
      this.idle = resolve;
    });
    const abort = setTimeout(() => {
      this.parts.lanes.stop();
      this.parts.deliveries.abort();
    }, timeoutMs);
    const leave = setTimeout(() => this.idle?.(), timeoutMs + GIVE_UP_MS);
    await idle;
    clearTimeout(abort);
    clearTimeout(leave);
  }

  private async serve(message: IncomingMessage, reply: ServerResponse): Promise<void> {
    const target = splitTarget(message.url ?? '/');
    const host = hostOf(message);
    const catalogue = this.parts.catalogue.current;
    if (message.method === 'OPTIONS') return sendPreflight(reply, message, catalogue.allowedMethods(host, target.path));
    const match = catalogue.match(host, message.method ?? '', target.path);
    if (match === 'method_not_allowed') {
      return sendProblem(reply, new Problem(match), { allow: catalogue.allowedMethods(host, target.path).join(', ') });
    }
    if (!match) throw new Problem(catalogue.tenantFor(host) ? 'route_not_found' : 'tenant_not_found');
    if (isTopUp(match)) checkTopUp(match, target.query, this.parts.accounts);
    const read = readBody(message, match.route.maxBodyBytes);
    const body = read instanceof Promise ? await read : read;
    const token = this.parts.tokenOf(match.tenant);
    const { addressOf, clock } = this.parts;
    const now = clock();
    const call = paidCall(match, token, message, target, body, addressOf);
    const payment = decodePayment(paymentHeadersOf(message));
    if (isInvoice(match)) return this.serveInvoice(call, payment, reply, now);
    return this.sell(call, payment, reply, now);
  }

  private async sell(
    call: PaidCall,
    payment: DecodedPayment | DecodedCommitment | undefined,
    reply: ServerResponse,
    now: number,
  ): Promise<void> {
    const { guard, rates } = this.parts;
    if (payment && isCommitment(payment)) return this.parts.commits.serve(call, payment, reply);
    if (payment) return this.present(call, payment, reply);
    const over = guard.overOffers(call, now) ?? rates.overOffers(call.route, () => guard.addressOf(call), now);
    if (over) sendLimited(reply, over);
    else await this.parts.unpaid.serve(call, reply);
  }

  /** What is to be paid is asked for like any price; if it is nothing, only what was paid before is answered as a payment. */
  private async serveInvoice(
    call: PaidCall,
    payment: DecodedPayment | DecodedCommitment | undefined,
    reply: ServerResponse,
    now: number,
  ): Promise<void> {
    const { admissions, guard, invoices } = this.parts;
    const over = guard.overInvoices(call, now);
    if (over) return sendLimited(reply, over);
    const { due, instead } = await invoices.termsOf(call);
    const priced = withDue(call, due);
    if (instead === undefined) return this.sell(priced, payment, reply, now);
    const paid = payment && !isCommitment(payment) ? await admissions.find(idOf(call, payment)) : undefined;
    if (paid && isAnswered(paid)) return this.runs.repeat(priced, payment as DecodedPayment, paid, reply);
    if (instead instanceof Problem) throw instead;
    sendWhole(reply, instead.status, Object.fromEntries(instead.headers), instead.body);
  }

  private async present(call: PaidCall, payment: DecodedPayment, reply: ServerResponse): Promise<void> {
    const { catalogue, clock, guard, quotes } = this.parts;
    const now = clock();
    const check = () => withinDue(call, payment, checkTerms(call, payment, catalogue.current, quotes, now));
    const by = guard.present(call, payment);
    if (by.proof === 'wrong') return this.refuseSignature(call, reply, check, now);
    const looked = await guard.lookUp(call, by, now, () => this.look(call, by, check));
    if ('over' in looked) return sendLimited(reply, looked.over);
    const finding = looked.value;
    switch (finding.kind) {
      case 'refused':
        if (finding.reason !== WRONG_SIGNATURE) return this.parts.unpaid.refuse(call, reply, finding.reason);
        guard.failed(call, by, now);
        return this.refuseSignature(call, reply, check, now);
      case 'exists':
        return this.runs.repeat(call, payment, finding, reply);
      case 'sound':
        guard.sound(now);
        return this.buy(call, by, finding.agreed, reply);
    }
  }

  /** What a store or the chain says of a payment whose signature may be good. */
  private async look(call: PaidCall, by: Presented, check: TermsCheck): Promise<Finding> {
    const { admissions, standings } = this.parts;
    const terms = await caughtUp(this.parts.catalogue, check);
    const denied = standings.isDenied(call.tenant.id, by.payment.authorization.from);
    if (terms.ok && !denied) return admissions.vet(call, by, terms);
    // The terms may have lapsed, or the payer been denied, since this payment was taken; then it is a repeat.
    const earlier = await admissions.find(idOf(call, by.payment));
    if (earlier) return earlier;
    if (denied || terms.ok) throw new Problem('payer_denied');
    return { kind: 'refused', reason: terms.reason };
  }

  /** Waits for its turn, is written down, runs. */
  private async buy(call: PaidCall, by: Presented, agreed: AgreedTerms, reply: ServerResponse): Promise<void> {
    const { admissions, clock, limits, turns, unpaid } = this.parts;
    const { payment } = by;
    const turn = await turns.take(call, payment, clock(), reply);
    if (turn.kind === 'gone') return;
    if (turn.kind === 'limited') return sendLimited(reply, turn.limit);
    if (turn.kind === 'exists') return this.runs.repeat(call, payment, turn, reply);
    const { leave } = turn;
    // Mode `before`: who would not get a place now is not charged; it is taken again when the money has moved.
    if (call.route.mode === 'before') leave();
    try {
      const admission = await admissions.admit(call, by, agreed, clock());
      if (admission.kind === 'admitted') {
        limits.tell(admission.payment.granted, reply);
        return await this.runs.begin(call, payment, admission, leave, reply).finally(admission.done);
      }
      leave();
      if (admission.kind === 'refused') return await unpaid.refuse(call, reply, admission.reason);
      await this.runs.repeat(call, payment, admission, reply);
    } finally {
      leave();
    }
  }

  /** With an offer, as long as wrong signatures from there are few. */
  private async refuseSignature(call: PaidCall, reply: ServerResponse, check: TermsCheck, now: number): Promise<void> {
    const over = this.parts.guard.overInvalid(call, now);
    if (over) return sendLimited(reply, over);
    const terms = check();
    const reason = terms.ok || terms.reason === 'catalogue_behind' ? WRONG_SIGNATURE : terms.reason;
    await this.parts.unpaid.refuse(call, reply, reason);
  }
}

/** Of payments that began earlier: those that have an answer, or will have. */
function isAnswered({ payment: { status } }: Repeat): boolean {
  return status === 'authorized' || status === 'delivered' || status === 'submitted' || status === 'settled';
}

function paymentHeadersOf({ headers }: IncomingMessage): PaymentHeaders {
  return { 'payment-signature': headers['payment-signature'], 'x-payment': headers['x-payment'] };
}
