import { randomBytes } from 'node:crypto';
import type { EventStore } from '../../src/base/event-store/event-store.js';
import type { Hex } from '../../src/base/shared/hex.js';
import { handlerFor, newPayment } from '../../src/domains/payments/handler-for.js';
import {
  AuthorizePayment,
  decideAuthorize,
  decideDelivery,
  RecordDelivery,
} from '../../src/domains/payments/payment.decide.js';
import { type PaymentId, paymentIdOf } from '../../src/domains/payments/payment.js';
import { decideRefund, RecordRefund } from '../../src/domains/payments/payment.refund.js';
import {
  ConfirmSettlement,
  decideConfirm,
  decideRevert,
  RevertSettlement,
} from '../../src/domains/payments/settle.decide.js';

const Authorize = handlerFor(AuthorizePayment, decideAuthorize);
const Deliver = handlerFor(RecordDelivery, decideDelivery);
const Confirm = handlerFor(ConfirmSettlement, decideConfirm);
const Revert = handlerFor(RevertSettlement, decideRevert);
const Refund = handlerFor(RecordRefund, decideRefund);
const GATEWAY = 'gw_one';
const BLOCK: Hex = '0xb1';
const hex = (bytes: number): Hex => `0x${randomBytes(bytes).toString('hex')}`;

/** Payments into accounts, by the commands that gateways and workers give. Amounts in atomic units. */
export class TopUps {
  constructor(
    private readonly store: EventStore,
    private readonly tenant: string,
  ) {}

  /** Answered and settled. */
  async pay(customer: string, amount: bigint): Promise<PaymentId> {
    const claim = {
      network: 'eip155:84532',
      asset: `0x${'a'.repeat(40)}`,
      payer: hex(20),
      nonce: hex(32),
    } as const;
    const id = paymentIdOf(claim);
    const signed = { ...claim, payee: hex(20), amount: String(amount), validAfter: '0', validBefore: '1900000000' };
    const terms: AuthorizePayment['terms'] = {
      ...{ tenant: this.tenant, route: '-top-up', method: 'GET', resource: 'http://localhost/-/top-up' },
      ...{ terms: signed, requestDigest: 'r', payloadDigest: 'p', x402Version: 2, units: String(amount) },
      ...{ tariff: { id: '-top-up', version: 1 }, authorizedAt: '1800000000', idempotent: true },
      ...{ gateway: GATEWAY, account: customer },
    };
    await new Authorize(this.store).execute(new AuthorizePayment(id, terms, [], [], newPayment));
    const delivered = { status: 200, responseDigest: 'd', bytes: 1, latencyMs: 1, kept: true };
    await new Deliver(this.store).execute(new RecordDelivery(id, delivered, GATEWAY));
    const inBlock = { transaction: '0x01', blockNumber: '7', blockHash: BLOCK, logIndex: 3, by: 'settler' } as const;
    await new Confirm(this.store).execute(new ConfirmSettlement(id, inBlock));
    return id;
  }

  /** Its block is no more. */
  revert(id: PaymentId): Promise<unknown> {
    return new Revert(this.store).execute(new RevertSettlement(id, { transaction: '0x01', blockHash: BLOCK }));
  }

  refund(id: PaymentId, amount: bigint): Promise<unknown> {
    const sent = { transaction: hex(32), logIndex: 1, amount: String(amount), blockNumber: '9', blockHash: '0xc1' };
    const transfer = { ...sent, at: '1800000000' } as unknown as ConstructorParameters<typeof RecordRefund>[1];
    return new Refund(this.store).execute(new RecordRefund(id, transfer));
  }
}
