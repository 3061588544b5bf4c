import { z } from 'zod';
import { address, bytes32, network, wholeNumber } from '../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../base/event-store/event-shape.js';
import type { NetworkFeePaid, NetworkFeeReversed } from './network-fee.js';

const wei = wholeNumber.meta({ description: 'Wei, decimal' });

const stream = 'network-fee/{tenant}/{transaction}';

const data = z.strictObject({
  network,
  transaction: bytes32,
  settler: address,
  blockHash: bytes32,
  gasUsed: wholeNumber.meta({ description: 'Gas of the whole transaction, decimal' }),
  fee: wei.meta({ description: 'Fee of the whole transaction in wei, decimal' }),
  items: z.int().min(0).meta({ description: 'Payments of this tenant in the transaction' }),
  of: z.int().min(0).meta({ description: 'All payments in the transaction' }),
  share: wei.meta({ description: "This tenant's part of the fee in wei, decimal" }),
});

const paid = shapeOf<NetworkFeePaid>()({
  type: 'NetworkFeePaid',
  schema: 1,
  stream,
  when: 'A settlement transaction is in a block and its gas is spent.',
  data,
});

const reversed = shapeOf<NetworkFeeReversed>()({
  type: 'NetworkFeeReversed',
  schema: 1,
  stream,
  when: 'The block that held the transaction is not in the chain any more, so its gas was not spent.',
  data,
});

export const networkFeeShapes: readonly EventShape[] = [paid, reversed];
