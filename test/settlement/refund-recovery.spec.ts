import { privateKeyToAccount } from 'viem/accounts';
import type { SettlementChain } from '../../src/base/chain/chain.js';
import { loadPayment } from '../../src/domains/payments/handler-for.js';
import { type PaymentId, paymentStream } from '../../src/domains/payments/payment.js';
import { RevertRefund } from '../../src/domains/payments/payment.refund.js';
import { refundsAbove } from '../../src/domains/payments/refunds.queries.js';
import type { RefundDeps } from '../../src/domains/settlement/refunds/refund.ports.js';
import { RefundRecovery } from '../../src/domains/settlement/refunds/refund.recovery.js';
import { type LocalChain, randomHex, randomKey, startLocalChain } from '../chain/support.js';
import { eventually } from '../support/eventually.js';
import { type Desk, deliver, log, openDesk } from './support.js';

let chain: LocalChain;
let desk: Desk;

beforeAll(async () => {
  chain = await startLocalChain();
  desk = await openDesk();
});
afterAll(async () => {
  await desk?.close();
  await chain?.stop();
});

/** A payment whose owner sent it back in this block. */
async function refundedIn(block: number): Promise<PaymentId> {
  const { id } = await deliver(desk, chain, privateKeyToAccount(randomKey()), { mode: 'after' });
  const place = { transaction: randomHex(32), blockNumber: String(block), blockHash: randomHex(32), logIndex: 0 };
  const settled = { ...place, transaction: randomHex(32), by: 'other' };
  const events = [
    { type: 'PaymentSettled', schema: 1, data: settled },
    { type: 'PaymentRefunded', schema: 2, data: { amount: '400', ...place } },
  ];
  await desk.store.append({
    stream: paymentStream(id),
    tenant: 'demo',
    expectedVersion: 2,
    decide: () => ({ events }),
  });
  return id;
}

it('takes back every refund that a reorganization undid, however many there are', async () => {
  const ids: PaymentId[] = [];
  // Two of one block, which a page must not part with.
  for (const block of [70, 71, 71, 72, 73]) ids.push(await refundedIn(block));
  // Two projections fill what it reads.
  await eventually(async () => (await refundsAbove(desk.pool, chain.token.network, 0n, 10)).length === ids.length);
  const reverted: PaymentId[] = [];
  const gone: Pick<SettlementChain, 'head' | 'network' | 'transactionOutcome'> = {
    network: chain.token.network,
    head: async () => ({ number: 100n, time: 1n, baseFee: 0n }),
    transactionOutcome: async () => ({ kind: 'unknown' }),
  };
  const deps = {
    ...{ pool: desk.pool, chain: gone, log, load: (id: PaymentId) => loadPayment(desk.store, id) },
    executeRefund: async (command: object) => {
      if (command instanceof RevertRefund) reverted.push(command.paymentId);
    },
  };
  await new RefundRecovery(deps as unknown as RefundDeps, 2).step();
  expect(reverted.sort()).toEqual(ids.sort());
});
