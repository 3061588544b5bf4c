import { erc20Abi } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import { transfersOf } from '../../src/base/chain/transfer-logs.js';
import type { Address, Hex } from '../../src/base/shared/hex.js';
import { loadPayment } from '../../src/domains/payments/handler-for.js';
import { paymentStream } from '../../src/domains/payments/payment.js';
import { decideRefund, RecordRefund } from '../../src/domains/payments/payment.refund.js';
import { walletAt } from '../chain/support.js';
import { eventually } from '../support/eventually.js';
import { allAre, give, newPayer, type Sold, type Stand, sell } from './stand.js';

export interface Traffic {
  readonly settled: readonly Sold[];
  readonly refunded: Sold;
}

/** Many payers in every mode, with failures of all kinds, free requests, a refund, and a reorganization in between. */
export async function generateTraffic(stand: Stand, payers: number): Promise<Traffic> {
  const accounts = await Promise.all(Array.from({ length: payers }, () => newPayer(stand, 100_000n)));
  const snapshot = await stand.chain.node.snapshot();
  const first = await sellEach(stand, accounts, 0);
  await eventually(() => allAre(stand, 'settled', first), 30_000);
  await stand.chain.node.revert({ id: snapshot });
  const second = await sellEach(stand, accounts, 1);
  const failed = await Promise.all(
    accounts.slice(0, 3).map((payer) => sell(stand, payer, { mode: 'async', amount: 7n, delivery: 'failed' })),
  );
  const broke = await newPayer(stand, 0n);
  const unpaid = [await sell(stand, broke, { mode: 'after', amount: 5_000n })];
  // Never paid: the answer is out, and what is owed stays held.
  await sell(stand, broke, { mode: 'async', amount: 640n });
  for (const end of ['delivered', 'failed', 'interrupted', 'running'] as const) {
    await give(stand, end);
    await give(stand, end, true);
  }
  const settled = [...first, ...second];
  await eventually(() => allAre(stand, 'settled', settled), 30_000);
  await eventually(() => allAre(stand, 'released', failed));
  await eventually(() => allAre(stand, 'settlement_failed', unpaid), 20_000);
  await refund(stand, settled[0]!, 300n);
  return { settled, refunded: settled[0]! };
}

function sellEach(stand: Stand, accounts: readonly PrivateKeyAccount[], round: number): Promise<Sold[]> {
  return Promise.all(
    accounts.map((payer, n) =>
      sell(stand, payer, {
        mode: (n + round) % 3 === 0 ? 'after' : 'async',
        amount: BigInt(1_000 + 37 * n + round),
        delivery: n % 4 === 1 ? 'interrupted' : 'delivered',
        old: n % 2 === 0,
      }),
    ),
  );
}

/** Moves USDC on the chain, from the payee's wallet unless said otherwise, without telling the book. */
export async function transfer(
  { chain, payee }: Stand,
  to: Address,
  amount: bigint,
  from: PrivateKeyAccount = payee,
): Promise<Hex> {
  await chain.node.setBalance({ address: from.address, value: 10n ** 18n });
  const hash = await walletAt(chain.rpcUrl, from).writeContract({
    address: chain.token.address,
    abi: erc20Abi,
    functionName: 'transfer',
    args: [to, amount],
    chain: null,
  });
  await chain.client.waitForTransactionReceipt({ hash, pollingInterval: 50 });
  return hash;
}

async function refund(stand: Stand, { id, terms }: Sold, amount: bigint): Promise<void> {
  const hash = await transfer(stand, terms.payer, amount);
  const [log] = (await transfersOf(stand.chain.client, stand.chain.token, hash))!;
  const { blockHash, blockNumber, logIndex, transaction } = log!;
  const { state, version } = await loadPayment(stand.store, id);
  const recorded = { amount: String(amount), transaction, blockNumber: String(blockNumber), blockHash, logIndex };
  const { claim, events } = decideRefund(state, new RecordRefund(id, recorded));
  if (typeof events === 'function') throw new Error('a refund asks for no hold');
  await stand.store.append({
    stream: paymentStream(id),
    tenant: 'demo',
    expectedVersion: version,
    claim,
    decide: () => ({ events }),
  });
}
