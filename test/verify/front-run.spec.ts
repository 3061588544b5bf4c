import { privateKeyToAccount } from 'viem/accounts';
import { transferCallData } from '../../src/base/chain/eip3009.js';
import type { Hex } from '../../src/base/shared/hex.js';
import { loadPayment } from '../../src/domains/payments/handler-for.js';
import type { PaymentId } from '../../src/domains/payments/payment.js';
import { settlementItem } from '../../src/domains/settlement/settlement.sender.js';
import { randomKey, walletAt } from '../chain/support.js';
import { gasBooked } from '../settlement/support.js';
import { eventually } from '../support/eventually.js';
import { checksOf, runOn } from './checks.js';
import { allAre, caughtUp, newPayer, openStand, type Stand, sell } from './stand.js';

const LONG_MS = 30_000;

let stand: Stand;

beforeAll(async () => {
  stand = await openStand();
});
afterAll(() => stand.stop());

/** Somebody who saw one item of a batch that is on its way sends it alone, and gives the miner more. */
async function runAhead(id: PaymentId): Promise<Hex> {
  const { chain, pool, store } = stand;
  const { rows } = await pool.query<{ signature: Buffer }>(
    'select signature from authorizations where payment_id = $1',
    [id],
  );
  const signature: Hex = `0x${rows[0]!.signature.toString('hex')}`;
  const data = transferCallData(settlementItem((await loadPayment(store, id)).state, signature));
  const stranger = privateKeyToAccount(randomKey());
  await chain.node.setBalance({ address: stranger.address, value: 10n ** 20n });
  const fees = { maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 10n ** 12n, gas: 300_000n };
  return walletAt(chain.rpcUrl, stranger).sendTransaction({ chain: null, to: chain.token.address, data, ...fees });
}

it('one item of a batch, sent ahead by a stranger in the same block, is paid once and holds up no other', async () => {
  const { chain, pool, store } = stand;
  const gasLeft = () => chain.client.getBalance({ address: chain.settler });
  const gas = await gasLeft();
  const payers = await Promise.all([1, 2, 3, 4].map(() => newPayer(stand, 10_000n)));
  await chain.node.setAutomine(false);
  const sold = await Promise.all(payers.map((payer) => sell(stand, payer, { mode: 'async', amount: 500n })));
  await eventually(() => allAre(stand, 'submitted', sold), LONG_MS);
  const { rows } = await pool.query<{ hash: Hex; payments: PaymentId[] }>(
    'select hash, payments from settlement_transactions order by cardinality(payments) desc',
  );
  const [batch] = rows as [(typeof rows)[number]];
  expect(batch.payments.length).toBeGreaterThan(1);
  await eventually(() => chain.node.getTransaction({ hash: batch.hash }), LONG_MS);
  const [victim, ...others] = batch.payments as [PaymentId, ...PaymentId[]];
  const ahead = await runAhead(victim);
  await chain.node.mine({ blocks: 1 });
  await chain.node.setAutomine(true);

  await eventually(() => allAre(stand, 'settled', sold), LONG_MS);
  const settledBy = async (id: PaymentId) => (await loadPayment(store, id)).state;
  expect(await settledBy(victim)).toMatchObject({ settled: { by: 'other', transaction: ahead } });
  for (const id of others) {
    expect(await settledBy(id)).toMatchObject({ settled: { by: 'settler', transaction: batch.hash } });
  }
  const [first, second] = await Promise.all(
    [ahead, batch.hash].map((hash) => chain.node.getTransactionReceipt({ hash })),
  );
  expect(first!.blockHash).toBe(second!.blockHash);
  expect(first!.transactionIndex).toBeLessThan(second!.transactionIndex);

  await eventually(async () => (await gasBooked(stand)) === gas - (await gasLeft()), LONG_MS);
  await caughtUp(stand);
  await stand.rest();
  for (const [check, { differences, gaps }] of Object.entries(await runOn(stand.databaseUrl, checksOf(stand)))) {
    expect({ check, differences, gaps }).toEqual({ check, differences: [], gaps: [] });
  }
});
