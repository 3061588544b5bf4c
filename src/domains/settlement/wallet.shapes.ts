import { z } from 'zod';
import { address, atomicAmount, bytes32, network, wholeNumber } from '../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../base/event-store/event-shape.js';
import type { WalletOpened } from './wallet.js';

const opened = shapeOf<WalletOpened>()({
  type: 'WalletOpened',
  schema: 1,
  stream: 'wallet/{network}/{asset}/{wallet}',
  when: 'The reconciler begins to follow a wallet that a tenant is paid at.',
  data: z.strictObject({
    network,
    asset: address,
    wallet: address,
    balance: atomicAmount.meta({ description: 'What it held at that block, atomic units, decimal' }),
    blockNumber: wholeNumber,
    blockHash: bytes32,
  }),
});

export const walletShapes: readonly EventShape[] = [opened];
