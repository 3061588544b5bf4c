import { z } from 'zod';
import { address, atomicAmount, bytes32, epochSecondsText, wholeNumber } from '../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../base/event-store/event-shape.js';
import type { PaymentRefundedV1 } from './payment.upcasts.js';
import {
  type PaymentRefunded,
  type RefundCancelled,
  type RefundFailed,
  type RefundRequested,
  type RefundReverted,
  type RefundSubmitted,
  refundReasons,
  refundSources,
} from './refund.js';

const stream = 'payment/{payment}';
const refund = z
  .templateLiteral(['ref_', z.string().regex(/^[0-9a-f]{32}$/), '_', z.string().regex(/^[0-9a-f]{16}$/)])
  .meta({ description: 'Id of the refund; its digits before the second _ are those of its payment' });

const requested = shapeOf<RefundRequested>()({
  type: 'RefundRequested',
  schema: 1,
  stream,
  when: 'Part of a payment is to be given back: its amount is spoken for.',
  data: z.strictObject({
    refund,
    amount: atomicAmount,
    from: z.enum(refundSources).meta({ description: 'Who sends it' }),
    sender: address.meta({ description: 'The refund wallet, or the payee' }),
    reason: z.enum(refundReasons).optional(),
    block: wholeNumber.meta({ description: 'The newest block at that time; the transfer is in a later one' }),
    validBefore: epochSecondsText.optional().meta({ description: "End of the refund wallet's authorization" }),
  }),
});

const submitted = shapeOf<RefundSubmitted>()({
  type: 'RefundSubmitted',
  schema: 1,
  stream,
  when: "The refund wallet's signature is about to be shown: the refund cannot be cancelled any more.",
  data: z.strictObject({ refund }),
});

const cancelled = shapeOf<RefundCancelled>()({
  type: 'RefundCancelled',
  schema: 1,
  stream,
  when: 'A request was withdrawn before it was sent, or its payment failed. Its amount is free again.',
  data: z.strictObject({ refund }),
});

const failed = shapeOf<RefundFailed>()({
  type: 'RefundFailed',
  schema: 1,
  stream,
  when: 'A refund will never be sent. Its amount is free again.',
  data: z.strictObject({
    refund,
    reason: z.enum(['rejected_by_token', 'expired', 'authorization_cancelled', 'nonce_used_elsewhere']),
    detail: z.string().optional().meta({ description: "The token's words, or the transaction that used the nonce" }),
  }),
});

const place = {
  transaction: bytes32,
  blockNumber: wholeNumber,
  blockHash: bytes32,
  logIndex: z.int().min(0),
};

const refundedV1 = shapeOf<PaymentRefundedV1>()({
  type: 'PaymentRefunded',
  schema: 1,
  stream,
  when: 'The payee gave money back: its transfer to the payer was read from the chain.',
  data: z.strictObject({ amount: atomicAmount, ...place }),
});

const transfer = z.strictObject({
  refund: refund.optional().meta({ description: 'The request that it fulfils, if it was asked for' }),
  amount: atomicAmount,
  sender: address.optional().meta({ description: 'The refund wallet that sent it; the payee if absent' }),
  ...place,
});

const refunded = shapeOf<PaymentRefunded>()({
  type: 'PaymentRefunded',
  schema: 2,
  stream,
  when: 'Money went back to the payer: its transfer was read from the chain.',
  data: transfer,
});

const reverted = shapeOf<RefundReverted>()({
  type: 'RefundReverted',
  schema: 1,
  stream,
  when: "The block that held a refund's transfer is not in the chain any more.",
  data: transfer,
});

export const refundShapes: readonly EventShape[] = [
  requested,
  submitted,
  cancelled,
  failed,
  refundedV1,
  refunded,
  reverted,
];
