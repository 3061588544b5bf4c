import type { Address, Hex } from '../../src/base/shared/hex.js';
import {
  type PaymentAuthorized,
  type PaymentEvent,
  type PaymentId,
  paymentIdOf,
  paymentStream,
} from '../../src/domains/payments/payment.js';
import { refundIdOf } from '../../src/domains/payments/refund.js';

const asset: Address = `0x${'a'.repeat(40)}`;
const payee: Address = `0x${'c'.repeat(40)}`;
const transaction: Hex = `0x${'7'.repeat(64)}`;
const block: Hex = `0x${'8'.repeat(64)}`;
const digest = 'd'.repeat(43);

/** The whole life of payment number `n`; the lives take turns, so that every event type occurs. */
export function paymentEvents(n: number): { readonly stream: string; readonly events: readonly PaymentEvent[] } {
  const nonce: Hex = `0x${n.toString(16).padStart(64, '0')}`;
  const payer: Address = `0x${(n % 5).toString(16).padStart(40, 'b')}`;
  const network = 'eip155:84532';
  const terms = {
    network,
    asset,
    payer,
    payee,
    amount: String(1000 + n),
    validAfter: '0',
    validBefore: '1900000000',
    nonce,
  } as const;
  const life = lives[n % lives.length]!;
  const authorized: PaymentAuthorized = {
    type: 'PaymentAuthorized',
    schema: 4,
    data: {
      tenant: 'demo',
      route: n % 2 === 0 ? 'weather' : 'slow',
      method: 'GET',
      resource: 'http://localhost:4020/demo/weather',
      requestDigest: digest,
      payloadDigest: digest,
      x402Version: 2,
      terms,
      tariff: { id: 'weather', version: 1 },
      units: '1',
      authorizedAt: '1790000000',
      mode: 'async',
      idempotent: true,
      gateway: 'gw_one',
      holds: [{ key: `exposure/demo/${network}/${asset}/${payer}`, amount: terms.amount }],
    },
  };
  const id = paymentIdOf({ network, asset, payer, nonce });
  return {
    stream: paymentStream(id),
    events: [life.before ? settledBefore(authorized) : authorized, ...life.events.map((one) => ownRefund(id, one))],
  };
}

/** The same, to be settled before its request runs, and so without exposure. */
function settledBefore(authorized: PaymentAuthorized): PaymentAuthorized {
  return { ...authorized, data: { ...authorized.data, mode: 'before', holds: [] } };
}

/** The ids of refunds follow from their payment's. */
function ownRefund(id: PaymentId, one: PaymentEvent): PaymentEvent {
  if (one.type !== 'RefundRequested') return one;
  return { ...one, data: { ...one.data, refund: refundIdOf(id, 'one') } };
}

const event = <T extends PaymentEvent['type']>(type: T, data: Extract<PaymentEvent, { type: T }>['data']) =>
  ({ type, schema: 1, data }) as PaymentEvent;

const delivered = event('RequestDelivered', {
  status: 200,
  responseDigest: digest,
  bytes: 9,
  latencyMs: 4,
  kept: true,
});
const submitted = event('SettlementSubmitted', { transaction, settler: payee, attempt: 1 });
const settled = event('PaymentSettled', {
  transaction,
  blockNumber: '9',
  blockHash: block,
  logIndex: 1,
  by: 'settler',
});
const interrupted = event('DeliveryInterrupted', { gateway: 'gw_one' });

const failed = event('DeliveryFailed', { reason: 'upstream_timeout', kept: false, latencyMs: 5 });
const reverted = event('SettlementReverted', { transaction, blockHash: block });
const started = event('DeliveryStarted', { gateway: 'gw_two' });
const refunded = (amount: string, logIndex: number) =>
  ({
    ...event('PaymentRefunded', { amount, transaction, blockNumber: '10', blockHash: block, logIndex }),
    schema: 2,
  }) as PaymentEvent;
const requested = event('RefundRequested', {
  refund: 'ref_1_1',
  amount: '1',
  from: 'payee',
  sender: payee,
  block: '9',
});

interface Life {
  readonly before?: boolean;
  readonly events: readonly PaymentEvent[];
}

const onCredit: readonly (readonly PaymentEvent[])[] = [
  [],
  [delivered],
  [delivered, submitted, settled],
  [delivered, submitted, event('PaymentSettlementFailed', { reason: 'insufficient_funds' })],
  [failed],
  [interrupted],
  [interrupted, event('DeliveryRestarted', { gateway: 'gw_two' }), delivered, submitted, settled],
  [delivered, submitted, settled, reverted],
];
const before: readonly (readonly PaymentEvent[])[] = [
  [submitted, settled, started, delivered, reverted, settled],
  [
    event('SettlementHeld', { reason: 'screening_denied' }),
    event('PaymentSettlementFailed', { reason: 'rejected_by_token' }),
  ],
  [submitted, settled, started, event('DeliveryInterrupted', { gateway: 'gw_two' }), started, failed, refunded('1', 2)],
  [submitted, settled, started, reverted, failed],
  [submitted, settled, requested],
];
const lives: readonly Life[] = [
  ...onCredit.map((events) => ({ events })),
  ...before.map((events) => ({ events, before: true })),
];

/** How many different lives there are. */
export const LIVES = lives.length;
