import type Stripe from 'stripe';
import { Problem } from '../../../base/shared/problem.js';
import type {
  CardChargeRequest,
  CardCredentials,
  CardProcessor,
  CardRefundRequest,
  CardSetupRequest,
  CardSetupStarted,
  CardSetupWord,
  ChargeWord,
  DisputeEvidence,
  DisputeWord,
  EvidenceWord,
  RefundWord,
} from './card-processor.js';
import { chargeWordOf, isAbsent, isRefusal, refundWordOf, type StripeFailure, unknown } from './stripe-errors.js';
import type { StripeHttp } from './stripe-http.js';
import {
  bestOf,
  hasSameUnits,
  wholeNumber,
  wordOfIntent,
  wordOfRefund,
  wordOfSetup,
  wordsOfDispute,
} from './stripe-words.js';

const PAGE = 100;
/** Of one customer's payments; more of them are not looked through. */
const LISTED_MAX = 10_000;
const WITH_FEE = 'latest_charge.balance_transaction';

/** Charges cards by Stripe's API. Our ids are the idempotency keys of what is asked, and stand in the metadata of what is made. */
export class StripeProcessor implements CardProcessor {
  private client: Promise<Stripe> | undefined;

  /** @param timeoutMs for the whole of each request */
  constructor(
    private readonly credentials: Pick<CardCredentials, 'apiBase' | 'secretKey'>,
    private readonly http: StripeHttp,
    private readonly timeoutMs: number,
  ) {}

  async startCardSetup({ customer, setup, tenant }: CardSetupRequest): Promise<CardSetupStarted> {
    const { customers, setupIntents } = await this.stripe();
    const metadata = { tollbook_setup: setup, tollbook_tenant: tenant, tollbook_customer: customer };
    try {
      const { id } = await customers.create({ metadata }, { idempotencyKey: `${setup}-customer` });
      const params: Stripe.SetupIntentCreateParams = { customer: id, usage: 'off_session', metadata };
      const options = { idempotencyKey: setup };
      const made = await setupIntents.create({ ...params, allowed_payment_method_types: ['card'] }, options);
      return { processorId: made.id, clientSecret: made.client_secret! };
    } catch (error) {
      throw new Problem('card_processor_unavailable', this.unknown(error).why);
    }
  }

  async findCardSetup(processorId: string): Promise<CardSetupWord> {
    const { setupIntents } = await this.stripe();
    try {
      return wordOfSetup(await setupIntents.retrieve(processorId, { expand: ['payment_method'] }));
    } catch (error) {
      return isAbsent(error) ? { kind: 'absent' } : this.unknown(error);
    }
  }

  async charge(request: CardChargeRequest): Promise<ChargeWord> {
    const { charge, currency, method } = request;
    if (!hasSameUnits(currency)) return { kind: 'declined', code: 'currency_not_supported', final: true };
    try {
      const customer = await this.customerOf(method);
      return (await this.made(charge, customer)) ?? (await this.make(request, customer));
    } catch (error) {
      // No card of this account: there is nothing to look through, and nothing to charge.
      return isAbsent(error) ? { kind: 'declined', code: 'resource_missing', final: true } : this.unknown(error);
    }
  }

  async findCharge(charge: string, method: string): Promise<ChargeWord> {
    try {
      return (await this.made(charge, await this.customerOf(method))) ?? { kind: 'absent' };
    } catch (error) {
      return this.unknown(error);
    }
  }

  async refund({ amount, processorId, refund }: CardRefundRequest): Promise<RefundWord> {
    const { refunds } = await this.stripe();
    const params = { payment_intent: processorId, amount: wholeNumber(amount), metadata: { tollbook_refund: refund } };
    const before = await this.findRefund(refund, processorId);
    if (before.kind !== 'absent') return before;
    try {
      return wordOfRefund(await refunds.create(params, { idempotencyKey: refund }));
    } catch (error) {
      return refundWordOf(error as StripeFailure, this.credentials.secretKey);
    }
  }

  async findRefund(refund: string, processorId: string): Promise<RefundWord> {
    const { refunds } = await this.stripe();
    try {
      const pages = refunds.list({ payment_intent: processorId, limit: PAGE });
      const all = await pages.autoPagingToArray({ limit: LISTED_MAX });
      const found = all.find(({ metadata }) => metadata?.tollbook_refund === refund);
      return found ? wordOfRefund(found) : { kind: 'absent' };
    } catch (error) {
      return this.unknown(error);
    }
  }

  async findDisputes(processorId: string) {
    const { disputes } = await this.stripe();
    try {
      const { data } = await disputes.list({ payment_intent: processorId, limit: PAGE });
      return data.flatMap((dispute): DisputeWord[] => wordsOfDispute(processorId, dispute));
    } catch (error) {
      return this.unknown(error);
    }
  }

  async submitEvidence(disputeId: string, key: string, { pdf, text }: DisputeEvidence): Promise<EvidenceWord> {
    const { disputes, files } = await this.stripe();
    try {
      const file = pdf && { data: pdf, name: 'evidence.pdf', type: 'application/pdf' };
      const sent = file && (await files.create({ purpose: 'dispute_evidence', file }));
      const evidence = { uncategorized_text: text, ...(sent ? { uncategorized_file: sent.id } : {}) };
      await disputes.update(disputeId, { evidence, metadata: { tollbook_evidence: key }, submit: true });
      return { kind: 'submitted' };
    } catch (error) {
      if (!isRefusal(error as StripeFailure)) return this.unknown(error);
      return this.refusalOf(disputeId, key, error as StripeFailure).catch((error) => this.unknown(error));
    }
  }

  /** It takes evidence once: a refusal may mean that it has ours. */
  private async refusalOf(disputeId: string, key: string, { code = 'invalid_request' }: StripeFailure) {
    const { disputes } = await this.stripe();
    const { metadata } = await disputes.retrieve(disputeId);
    return metadata.tollbook_evidence === key ? ({ kind: 'submitted' } as const) : ({ kind: 'refused', code } as const);
  }

  private async make(request: CardChargeRequest, customer: string | undefined): Promise<ChargeWord> {
    const { amount, charge, currency, description, method, tenant } = request;
    const { paymentIntents } = await this.stripe();
    const params: Stripe.PaymentIntentCreateParams = {
      ...{
        amount: wholeNumber(amount),
        currency: currency.toLowerCase(),
        customer,
        payment_method: method,
        description,
      },
      ...{ allowed_payment_method_types: ['card'], confirm: true, off_session: true, expand: [WITH_FEE] },
      // The balance is moved before it answers, so that the fee is in the answer.
      capture_method: 'automatic',
      metadata: { tollbook_charge: charge, tollbook_tenant: tenant, tollbook_customer: request.customer },
    };
    try {
      return wordOfIntent(await paymentIntents.create(params, { idempotencyKey: charge }));
    } catch (error) {
      return chargeWordOf(error as StripeFailure, this.credentials.secretKey);
    }
  }

  /** The processor's customer; none if the card was detached from whose it was. */
  private async customerOf(method: string): Promise<string | undefined> {
    const { paymentMethods } = await this.stripe();
    const { customer } = await paymentMethods.retrieve(method);
    return typeof customer === 'object' ? customer?.id : customer;
  }

  /** The charge with our id, if there is one. Rejects if the processor does not say. */
  private async made(charge: string, customer: string | undefined): Promise<ChargeWord | undefined> {
    const best = bestOf(await (customer === undefined ? this.searched(charge) : this.listed(charge, customer)));
    return best && wordOfIntent(best);
  }

  /** Without delay, unlike a search. */
  private async listed(charge: string, customer: string): Promise<Stripe.PaymentIntent[]> {
    const { paymentIntents } = await this.stripe();
    const pages = paymentIntents.list({ customer, limit: PAGE, expand: [`data.${WITH_FEE}`] });
    const all = await pages.autoPagingToArray({ limit: LISTED_MAX });
    if (all.length === LISTED_MAX) throw new Error(`more than ${LISTED_MAX} payments of one customer`);
    return all.filter(({ metadata }) => metadata.tollbook_charge === charge);
  }

  /** What is newer than an hour at worst is not found; for a day, the idempotency key keeps it from being made twice. */
  private async searched(charge: string): Promise<Stripe.PaymentIntent[]> {
    const { paymentIntents } = await this.stripe();
    const query = `metadata['tollbook_charge']:'${charge}'`;
    return (await paymentIntents.search({ query, limit: PAGE, expand: [`data.${WITH_FEE}`] })).data;
  }

  private stripe(): Promise<Stripe> {
    this.client ??= this.connect();
    return this.client;
  }

  /** The package takes its time to load: only who charges cards waits for it. */
  private async connect(): Promise<Stripe> {
    const { default: Package } = await import('stripe');
    const { apiBase, secretKey } = this.credentials;
    const { hostname, port, protocol } = new URL(apiBase);
    return new Package(secretKey, {
      host: hostname,
      port: port || (protocol === 'http:' ? '80' : '443'),
      protocol: protocol === 'http:' ? 'http' : 'https',
      httpClient: this.http,
      // Asking again is up to who has written down that it asked.
      maxNetworkRetries: 0,
      timeout: this.timeoutMs,
      telemetry: false,
    });
  }

  private unknown(error: unknown) {
    return unknown(error as StripeFailure, this.credentials.secretKey);
  }
}
