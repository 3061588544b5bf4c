import { z } from 'zod';
import {
  address,
  atomicAmount,
  bytes32,
  digest,
  epochSecondsText,
  network,
  tenantId,
  wholeNumber,
} from '../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../base/event-store/event-shape.js';
import type { SettlementDelegated } from './delegation.js';
import type {
  DeliveryFailed,
  DeliveryInterrupted,
  DeliveryRestarted,
  DeliveryStarted,
  PaymentAuthorized,
  PaymentSettled,
  PaymentSettlementFailed,
  RequestDelivered,
  SettlementHeld,
  SettlementReverted,
  SettlementSubmitted,
} from './payment.js';
import type { PaymentAuthorizedV1, PaymentAuthorizedV2, PaymentAuthorizedV3 } from './payment.upcasts.js';
import type { PurchaseIdentified } from './purchase-identifier.js';
import type { TransferClaimed } from './transfer.js';

const stream = 'payment/{payment}';
const AUTHORIZED_WHEN = 'A signed payment was accepted for one request, before the request runs.';
export const paymentId = z.templateLiteral(['pay_', z.string().regex(/^[0-9a-f]{32}$/)]);
const gateway = z.string().meta({ description: 'Lease of the gateway that delivers' });
const kept = z.boolean().meta({ description: 'Whether the answer is kept for a repeat' });
const latencyMs = z.int().meta({ description: 'Milliseconds' });
const status = z.int().min(100).max(999).meta({ description: 'HTTP status of the upstream' });

const terms = z
  .strictObject({
    network,
    asset: address,
    payer: address,
    payee: address,
    amount: atomicAmount,
    validAfter: epochSecondsText,
    validBefore: epochSecondsText,
    nonce: bytes32,
  })
  .meta({ description: 'What the payer signed (EIP-3009), without the signature' });

const authorizedFields = {
  tenant: tenantId,
  route: z.string(),
  method: z.string().meta({ description: 'HTTP method' }),
  resource: z.string().meta({ description: 'Public URL without its query' }),
  requestDigest: digest.meta({ description: 'SHA-256 over method, path, query and body, base64url' }),
  payloadDigest: digest.meta({ description: 'SHA-256 of the decoded payment, base64url' }),
  x402Version: z.union([z.literal(1), z.literal(2)]),
  terms,
  tariff: z.strictObject({ id: z.string(), version: z.int().min(1) }),
  quote: z.string().optional().meta({ description: 'Random id of the quote; absent for x402 version 1' }),
  units: wholeNumber,
  authorizedAt: epochSecondsText,
  mode: z.enum(['async', 'after']).meta({ description: 'Answer at once, or only when settled' }),
  idempotent: z.boolean().meta({ description: 'Whether the route may be run again after an interruption' }),
  gateway,
};
const identifier = digest.optional().meta({ description: 'SHA-256 of the payment identifier that the client sent' });

const authorizedV1 = shapeOf<PaymentAuthorizedV1>()({
  type: 'PaymentAuthorized',
  schema: 1,
  stream,
  when: AUTHORIZED_WHEN,
  data: z.strictObject({
    ...authorizedFields,
    hold: z.string().optional().meta({ description: 'Exposure that is held for this payment, if any' }),
    identifier,
  }),
});

const authorizedV2Data = z.strictObject({
  ...authorizedFields,
  identifier,
  urgency: z.int().min(0).max(7).optional().meta({ description: 'Urgency that the price was asked for (RFC 9218)' }),
  class: z.string().optional().meta({ description: 'Quality of service that was chosen' }),
  inputs: z
    .record(z.string(), z.string())
    .optional()
    .meta({ description: 'What the price looked at, by canonical name' }),
  holds: z
    .array(z.strictObject({ key: z.string(), amount: wholeNumber }))
    .meta({ description: 'What is held for this payment, in the units of each key' }),
});

const authorizedV2 = shapeOf<PaymentAuthorizedV2>()({
  type: 'PaymentAuthorized',
  schema: 2,
  stream,
  when: AUTHORIZED_WHEN,
  data: authorizedV2Data,
});

const authorizedV3Data = authorizedV2Data.extend({
  mode: z
    .enum(['async', 'after', 'before'])
    .meta({ description: 'Answer at once, or only when settled, or run only when settled' }),
});

const authorizedV3 = shapeOf<PaymentAuthorizedV3>()({
  type: 'PaymentAuthorized',
  schema: 3,
  stream,
  when: AUTHORIZED_WHEN,
  data: authorizedV3Data,
});

const authorized = shapeOf<PaymentAuthorized>()({
  type: 'PaymentAuthorized',
  schema: 4,
  stream,
  when: AUTHORIZED_WHEN,
  data: authorizedV3Data.extend({
    account: z.string().optional().meta({ description: 'Account that is paid into once the money has moved' }),
  }),
});

const started = shapeOf<DeliveryStarted>()({
  type: 'DeliveryStarted',
  schema: 1,
  stream,
  when: 'A payment of mode `before` is settled, and a gateway runs its request.',
  data: z.strictObject({ gateway }),
});

const delivered = shapeOf<RequestDelivered>()({
  type: 'RequestDelivered',
  schema: 1,
  stream,
  when: 'The upstream answered and the answer is charged.',
  data: z.strictObject({
    status,
    responseDigest: digest.meta({ description: 'SHA-256 of the body as the upstream sent it, base64url' }),
    bytes: z.int().min(0).meta({ description: 'Length of the body' }),
    latencyMs,
    kept,
  }),
});

const deliveryFailed = shapeOf<DeliveryFailed>()({
  type: 'DeliveryFailed',
  schema: 1,
  stream,
  when: 'The upstream failed, or its answer is not one that the route charges. Nothing is charged; in mode `before` what was paid is owed back.',
  data: z.strictObject({
    reason: z.enum([
      'upstream_error',
      'upstream_timeout',
      'upstream_unreachable',
      'upstream_broke_off',
      'upstream_forbidden',
      'not_charged',
      'answer_too_large_to_hold',
      'shutdown',
    ]),
    status: status.optional(),
    kept,
    latencyMs,
  }),
});

const interrupted = shapeOf<DeliveryInterrupted>()({
  type: 'DeliveryInterrupted',
  schema: 1,
  stream,
  when: 'The gateway that delivered is gone. Nothing is charged; in mode `before` the request may run again, or what was paid is owed back.',
  data: z.strictObject({ gateway }),
});

const restarted = shapeOf<DeliveryRestarted>()({
  type: 'DeliveryRestarted',
  schema: 1,
  stream,
  when: 'An interrupted request to an idempotent route runs again.',
  data: z.strictObject({ gateway }),
});

const held = shapeOf<SettlementHeld>()({
  type: 'SettlementHeld',
  schema: 1,
  stream,
  when: 'Screening denied the payer when its payment was to be settled: it is not sent to the chain until that changes.',
  data: z.strictObject({ reason: z.enum(['screening_denied']) }),
});

const submitted = shapeOf<SettlementSubmitted>()({
  type: 'SettlementSubmitted',
  schema: 1,
  stream,
  when: 'A transaction that may pay is durable and about to be broadcast.',
  data: z.strictObject({
    transaction: bytes32,
    settler: address,
    attempt: z.int().min(1).meta({ description: 'Counts the transactions of this payment' }),
  }),
});

const delegated = shapeOf<SettlementDelegated>()({
  type: 'SettlementDelegated',
  schema: 1,
  stream,
  when: 'The payment is about to be sent to a facilitator of the tenant, or is left to the settlers here in its place.',
  data: z.strictObject({
    facilitator: z.string().meta({ description: 'Its base URL, or `own` for the settlers of this installation' }),
    attempt: z.int().min(1).meta({ description: 'Counts the delegations of this payment' }),
    until: wholeNumber.meta({ description: 'Until when nobody else is asked; epoch milliseconds' }),
  }),
});

const settled = shapeOf<PaymentSettled>()({
  type: 'PaymentSettled',
  schema: 1,
  stream,
  when: 'The transfer to the payee, of the exact amount, is in a block.',
  data: z.strictObject({
    transaction: bytes32,
    blockNumber: wholeNumber,
    blockHash: bytes32,
    logIndex: z.int().min(0),
    by: z.enum(['settler', 'other']).meta({ description: 'Who broadcast the authorization' }),
  }),
});

const settlementFailed = shapeOf<PaymentSettlementFailed>()({
  type: 'PaymentSettlementFailed',
  schema: 1,
  stream,
  when: 'The transfer will never happen.',
  data: z.strictObject({
    reason: z.enum([
      'insufficient_funds',
      'authorization_cancelled',
      'authorization_expired',
      'nonce_used_elsewhere',
      'rejected_by_token',
    ]),
    detail: z.string().optional().meta({ description: "The token's words, or the transaction that used the nonce" }),
  }),
});

const reverted = shapeOf<SettlementReverted>()({
  type: 'SettlementReverted',
  schema: 1,
  stream,
  when: 'The block that held the transfer is not in the chain any more.',
  data: z.strictObject({ transaction: bytes32, blockHash: bytes32 }),
});

const transferClaimed = shapeOf<TransferClaimed>()({
  type: 'TransferClaimed',
  schema: 1,
  stream: 'transfer/{network}/{transaction}/{logIndex}',
  when: 'A transfer on the chain refunds this payment, and so no other one; written together with the refund.',
  data: z.strictObject({ payment: paymentId }),
});

const identified = shapeOf<PurchaseIdentified>()({
  type: 'PurchaseIdentified',
  schema: 1,
  stream: 'identifier/{digest}',
  when: "A client's own name for a purchase now stands for this payment; written together with its authorization.",
  data: z.strictObject({
    payment: paymentId,
    requestDigest: digest,
  }),
});

export const paymentShapes: readonly EventShape[] = [
  authorizedV1,
  authorizedV2,
  authorizedV3,
  authorized,
  started,
  delivered,
  deliveryFailed,
  interrupted,
  restarted,
  held,
  submitted,
  delegated,
  settled,
  settlementFailed,
  reverted,
  transferClaimed,
  identified,
];
