import { z } from 'zod';
import { address, atomicAmount, bytes32, network, wholeNumber } from '../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../base/event-store/event-shape.js';
import { paymentId } from './payment.shapes.js';
import type {
  InboundTransferExplained,
  InboundTransferExplanationWithdrawn,
  InboundTransferFound,
  InboundTransferMatched,
  InboundTransferReverted,
  OutboundTransferClaimed,
  OutboundTransferFound,
  OutboundTransferReverted,
} from './transfer.js';

const stream = 'transfer/{network}/{transaction}/{logIndex}';

const fields = {
  network,
  asset: address,
  wallet: address.meta({ description: "The tenant's wallet" }),
  counterparty: address.meta({ description: 'Who sent it, or to whom it went' }),
  amount: atomicAmount,
  transaction: bytes32,
  logIndex: z.int().min(0),
  blockNumber: wholeNumber,
  blockHash: bytes32,
};

const found = z.strictObject({
  ...fields,
  payment: paymentId
    .optional()
    .meta({ description: 'What the payment is called that its authorization can be used for; there may be none' }),
});

const named = z.strictObject({ ...fields, payment: paymentId });

const inboundFound = shapeOf<InboundTransferFound>()({
  type: 'InboundTransferFound',
  schema: 1,
  stream,
  when: 'A transfer into a wallet stands in a block, and no payment explains it.',
  data: found,
});

const inboundReverted = shapeOf<InboundTransferReverted>()({
  type: 'InboundTransferReverted',
  schema: 1,
  stream,
  when: 'The block that held an unexplained transfer into a wallet is not in the chain any more.',
  data: found,
});

const inboundMatched = shapeOf<InboundTransferMatched>()({
  type: 'InboundTransferMatched',
  schema: 1,
  stream,
  when: 'An unexplained transfer into a wallet turned out to have settled a payment that was taken later.',
  data: named,
});

const explained = z.strictObject({
  ...found.shape,
  as: z.enum(['owner_deposit', 'income', 'returned']).meta({
    description: "What it was: `returned` was sent back by a transfer that is found as the owner's",
  }),
});

const inboundExplained = shapeOf<InboundTransferExplained>()({
  type: 'InboundTransferExplained',
  schema: 1,
  stream,
  when: 'An operator said what an unexplained transfer into a wallet was.',
  data: explained,
});

const inboundExplanationWithdrawn = shapeOf<InboundTransferExplanationWithdrawn>()({
  type: 'InboundTransferExplanationWithdrawn',
  schema: 1,
  stream,
  when: 'What was said of a transfer into a wallet does not count any more: something else was said, its block is gone, or it has settled a payment.',
  data: explained,
});

const outboundFound = shapeOf<OutboundTransferFound>()({
  type: 'OutboundTransferFound',
  schema: 1,
  stream,
  when: 'A transfer out of a wallet stands in a block, and is no refund that was recorded.',
  data: found,
});

const outboundReverted = shapeOf<OutboundTransferReverted>()({
  type: 'OutboundTransferReverted',
  schema: 1,
  stream,
  when: 'The block that held an unexplained transfer out of a wallet is not in the chain any more.',
  data: found,
});

const outboundClaimed = shapeOf<OutboundTransferClaimed>()({
  type: 'OutboundTransferClaimed',
  schema: 1,
  stream,
  when: 'An unexplained transfer out of a wallet is a refund of this payment; written together with the refund.',
  data: named,
});

export const transferShapes: readonly EventShape[] = [
  inboundFound,
  inboundReverted,
  inboundMatched,
  inboundExplained,
  inboundExplanationWithdrawn,
  outboundFound,
  outboundReverted,
  outboundClaimed,
];
