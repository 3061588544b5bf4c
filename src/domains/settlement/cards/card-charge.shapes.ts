import { z } from 'zod';
import { address, atomicAmount, digest, network, tenantId } from '../../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../../base/event-store/event-shape.js';
import type {
  CardActionRequired,
  CardChargeDeclined,
  CardChargeRequested,
  CardChargeSubmitted,
  CardChargeSucceeded,
  CardFeeTaken,
  CardRefundFailed,
  CardRefundRequested,
  CardRefundSucceeded,
  DisputeEvidenceSubmitted,
  DisputeLost,
  DisputeOpened,
  DisputeWon,
} from './card-charge.js';

const stream = 'card-charge/{tenant}/{charge}';
const minor = z
  .string()
  .regex(/^(?:0|[1-9][0-9]{0,77})$/)
  .meta({ description: 'Minor units of the currency, decimal' });
const processorId = z.string().meta({ description: "The processor's id of it" });
const refund = z.string().meta({ description: 'The refund: `crf_…`' });
const dispute = z.string().meta({ description: "The processor's id of the dispute" });
const code = z.string().meta({ description: "The processor's word for why" });

const requested = shapeOf<CardChargeRequested>()({
  ...{ type: 'CardChargeRequested', schema: 1, stream },
  when: 'An invoice is to be paid by card.',
  data: z.strictObject({
    tenant: tenantId,
    customer: z.string().meta({ description: 'The account' }),
    invoice: z.string(),
    sequence: z.int().min(1).meta({ description: 'Of the invoice among those of the account' }),
    attempt: z.int().min(1).meta({ description: 'Counts the charges for this invoice' }),
    notice: z.int().min(0).meta({ description: 'Reminders of the invoice that had gone out' }),
    method: z.string().meta({ description: "The processor's id of the card" }),
    amount: minor,
    currency: z.string().meta({ description: 'ISO 4217' }),
    description: z.string(),
    network,
    asset: address,
    scale: atomicAmount.meta({ description: 'Atomic units of the token in a minor unit' }),
  }),
});

const submitted = shapeOf<CardChargeSubmitted>()({
  ...{ type: 'CardChargeSubmitted', schema: 1, stream },
  when: 'The processor is about to be asked; from here on it may have the charge.',
  data: z.strictObject({}),
});

const succeeded = shapeOf<CardChargeSucceeded>()({
  ...{ type: 'CardChargeSucceeded', schema: 1, stream },
  when: 'The processor has the money, whatever it said before.',
  data: z.strictObject({ processorId }),
});

const feeTaken = shapeOf<CardFeeTaken>()({
  ...{ type: 'CardFeeTaken', schema: 1, stream },
  when: 'It is known what the processor keeps of a charge.',
  data: z.strictObject({ fee: minor }),
});

const declined = shapeOf<CardChargeDeclined>()({
  ...{ type: 'CardChargeDeclined', schema: 1, stream },
  when: 'A charge did not come to anything; a success may still be heard of later.',
  data: z.strictObject({
    processorId: processorId.optional(),
    code,
    final: z.boolean().meta({ description: 'To ask again with the same card is pointless' }),
  }),
});

const actionRequired = shapeOf<CardActionRequired>()({
  ...{ type: 'CardActionRequired', schema: 1, stream },
  when: 'The bank of the card wants the customer to be there.',
  data: z.strictObject({ processorId }),
});

const refundRequested = shapeOf<CardRefundRequested>()({
  ...{ type: 'CardRefundRequested', schema: 1, stream },
  when: 'Money is to go back to a card.',
  data: z.strictObject({
    refund,
    amount: minor,
    reason: z.enum(['surplus', 'requested']).meta({ description: '`surplus`: the invoice did not need it' }),
  }),
});

const refundSucceeded = shapeOf<CardRefundSucceeded>()({
  ...{ type: 'CardRefundSucceeded', schema: 1, stream },
  when: 'The processor gave it back.',
  data: z.strictObject({ refund, processorId }),
});

const refundFailed = shapeOf<CardRefundFailed>()({
  ...{ type: 'CardRefundFailed', schema: 1, stream },
  when: 'The money did not go back; also long after it seemed to have.',
  data: z.strictObject({ refund, code }),
});

const disputeOpened = shapeOf<DisputeOpened>()({
  ...{ type: 'DisputeOpened', schema: 1, stream },
  when: "The customer's bank asked for the money, and the processor took it back.",
  data: z.strictObject({
    dispute,
    amount: minor,
    fee: minor.meta({ description: 'What the processor asks for it, minor units' }),
    reason: z.string(),
    evidenceDue: z.string().optional().meta({ description: 'RFC 3339: until when evidence is taken' }),
  }),
});

const evidenceSubmitted = shapeOf<DisputeEvidenceSubmitted>()({
  ...{ type: 'DisputeEvidenceSubmitted', schema: 1, stream },
  when: 'The processor was told what speaks against a dispute.',
  data: z.strictObject({ dispute, digest: digest.meta({ description: 'SHA-256 of what was submitted' }) }),
});

const disputeWon = shapeOf<DisputeWon>()({
  ...{ type: 'DisputeWon', schema: 1, stream },
  when: 'The money of a dispute is there again.',
  data: z.strictObject({ dispute, fee: minor.meta({ description: 'What the processor keeps nevertheless' }) }),
});

const disputeLost = shapeOf<DisputeLost>()({
  ...{ type: 'DisputeLost', schema: 1, stream },
  when: 'The money of a dispute is gone for good.',
  data: z.strictObject({ dispute }),
});

export const cardChargeShapes: readonly EventShape[] = [
  ...[requested, submitted, succeeded, feeTaken, declined, actionRequired],
  ...[refundRequested, refundSucceeded, refundFailed],
  ...[disputeOpened, evidenceSubmitted, disputeWon, disputeLost],
];
