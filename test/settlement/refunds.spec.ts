import { encodeFunctionData, parseAbi } from 'viem';
import { sendAsAdmin } from '../../src/base/embedded/usdc.js';
import type { Address } from '../../src/base/shared/hex.js';
import { loadPayment } from '../../src/domains/payments/handler-for.js';
import type { Payment } from '../../src/domains/payments/payment.js';
import { type LocalChain, startLocalChain } from '../chain/support.js';
import { eventually } from '../support/eventually.js';
import { mintUsdc, transferUsdc } from '../support/usdc.js';
import { RefundDesk, type Sold } from './refund-desk.js';
import { type Desk, gasBooked, openDesk, PAYEE } from './support.js';

const LONG_MS = 30_000;
const tokenAbi = parseAbi(['function blacklist(address account)', 'function pause()', 'function unpause()']);

let chain: LocalChain;
let desk: Desk;
let refunds: RefundDesk;

beforeAll(async () => {
  chain = await startLocalChain();
});
afterAll(() => chain.stop());
beforeEach(async () => {
  desk = await openDesk();
  refunds = new RefundDesk(desk, chain);
});
afterEach(() => desk.close());

async function withWorkers(count: number, work: () => Promise<void>): Promise<void> {
  const workers = await Promise.all(Array.from({ length: count }, () => refunds.work()));
  try {
    await work();
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
  }
}

function admin(functionName: 'pause' | 'unpause'): Promise<void> {
  return sendAsAdmin(chain.rpcUrl, [encodeFunctionData({ abi: tokenAbi, functionName })]);
}

function blacklist(account: Address): Promise<void> {
  const data = encodeFunctionData({ abi: tokenAbi, functionName: 'blacklist', args: [account] });
  return sendAsAdmin(chain.rpcUrl, [data]);
}

const gas = () => chain.client.getBalance({ address: chain.settler });

describe('refunds from the wallet', () => {
  it('are sent together and once each, by two workers, and their gas is booked', async () => {
    await refunds.fill(10_000n);
    const before = await gas();
    const booked = await gasBooked(desk);
    const sold = await refunds.sell(6);
    const asked = await Promise.all(sold.map(({ id }) => refunds.ask(id, 400n)));
    const rest = await refunds.ask(sold[0]!.id, 600n);
    await withWorkers(2, async () => {
      for (const [n, { id }] of sold.entries()) await eventually(() => refunds.is(id, asked[n]!, 'refunded'), LONG_MS);
      await eventually(() => refunds.is(sold[0]!.id, rest, 'refunded'), LONG_MS);
      await eventually(async () => (await gasBooked(desk)) - booked === before - (await gas()), LONG_MS);
    });
    expect((await refunds.transfers(sold[0]!.payer)).toSorted()).toEqual([400n, 600n]);
    for (const { payer } of sold.slice(1)) expect(await refunds.transfers(payer)).toEqual([400n]);
    const { rows } = await desk.pool.query(
      'select refunds from settlement_transactions where cardinality(refunds) > 0',
    );
    expect(rows.flatMap((row) => row.refunds).toSorted()).toEqual([...asked, rest].toSorted());
    expect(rows.length).toBeLessThanOrEqual(2);
  });

  it('wait for money, the oldest first, and cannot be cancelled once they were sent', async () => {
    const [one, two] = (await refunds.sell(2)) as [Sold, Sold];
    await refunds.fill(500n);
    const first = await refunds.ask(one.id, 400n);
    const second = await refunds.ask(two.id, 400n);
    await withWorkers(1, async () => {
      await eventually(() => refunds.is(one.id, first, 'refunded'), LONG_MS);
      expect(await refunds.is(two.id, second, 'requested')).toBe(true);
      await refunds.fill(300n);
      await eventually(() => refunds.is(two.id, second, 'refunded'), LONG_MS);
    });
    expect(await refunds.history(two.id)).toEqual(['RefundRequested', 'RefundSubmitted', 'PaymentRefunded']);
  });

  it('wait while the token is paused', async () => {
    const [sold] = (await refunds.sell(1)) as [Sold];
    await refunds.fill(1_000n);
    await admin('pause');
    const refund = await refunds.ask(sold.id, 400n);
    await withWorkers(1, async () => {
      try {
        await eventually(async () => (await desk.pool.query('select from refunds')).rowCount === 1);
        // Two turns that see it.
        await new Promise((resolve) => setTimeout(resolve, 2_500));
        expect(await refunds.is(sold.id, refund, 'requested')).toBe(true);
      } finally {
        await admin('unpause');
      }
      await eventually(() => refunds.is(sold.id, refund, 'refunded'), LONG_MS);
    });
  });

  it('fail with the reason if the token refuses the payer, and the amount is free again', async () => {
    const [sold] = (await refunds.sell(1)) as [Sold];
    await refunds.fill(1_000n);
    await blacklist(sold.payer);
    const refund = await refunds.ask(sold.id, 1_000n);
    await withWorkers(1, async () => {
      await eventually(() => refunds.is(sold.id, refund, 'failed'), LONG_MS);
    });
    const { failed } = await refunds.request(sold.id, refund);
    expect(failed).toEqual({ reason: 'rejected_by_token', detail: 'Blacklistable: account is blacklisted' });
    // Nobody was shown a signature.
    expect(await refunds.history(sold.id)).toEqual(['RefundRequested', 'RefundFailed']);
    await refunds.ask(sold.id, 1_000n);
  });

  it('that a reorganization undid are sent again, and once only', async () => {
    await refunds.fill(1_000n);
    const [sold] = (await refunds.sell(1)) as [Sold];
    const refund = await refunds.ask(sold.id, 400n);
    await withWorkers(2, async () => {
      await eventually(() => refunds.is(sold.id, refund, 'refunded'), LONG_MS);
      await chain.node.request({ method: 'anvil_rollback', params: [1] } as never);
      expect(await refunds.transfers(sold.payer)).toEqual([]);
      await eventually(async () => (await refunds.history(sold.id)).at(-2) === 'RefundReverted', LONG_MS);
      await eventually(() => refunds.is(sold.id, refund, 'refunded'), LONG_MS);
    });
    expect(await refunds.history(sold.id)).toEqual([
      'RefundRequested',
      'RefundSubmitted',
      'PaymentRefunded',
      'RefundReverted',
      'PaymentRefunded',
    ]);
    expect(await refunds.transfers(sold.payer)).toEqual([400n]);
    const [sent] = await refunds.sent(sold.id);
    const receipt = await chain.client.getTransactionReceipt({ hash: sent!.transaction });
    expect(receipt.blockHash).toBe(sent!.blockHash);
  });
});

describe('refunds from the payee', () => {
  it('are found by themselves, though other transfers pass', async () => {
    const [sold] = (await refunds.sell(1)) as [Sold];
    await mintUsdc(chain.rpcUrl, PAYEE, 10_000n);
    await transferUsdc(chain.rpcUrl, PAYEE, sold.payer, 400n);
    const refund = await refunds.ask(sold.id, 400n, 'payee');
    await withWorkers(2, async () => {
      await transferUsdc(chain.rpcUrl, PAYEE, sold.payer, 399n);
      await transferUsdc(chain.rpcUrl, refunds.wallet, sold.payer, 0n);
      const transaction = await transferUsdc(chain.rpcUrl, PAYEE, sold.payer, 400n);
      await eventually(() => refunds.is(sold.id, refund, 'refunded'), LONG_MS);
      expect(await refunds.sent(sold.id)).toMatchObject([{ refund, amount: '400', transaction }]);
    });
    expect(await refunds.history(sold.id)).toEqual(['RefundRequested', 'PaymentRefunded']);
  });

  it('are left to the owner if more than one transfer could be meant', async () => {
    const [sold, other] = (await refunds.sell(2)) as [Sold, Sold];
    await mintUsdc(chain.rpcUrl, PAYEE, 10_000n);
    const refund = await refunds.ask(sold.id, 400n, 'payee');
    const clear = await refunds.ask(other.id, 300n, 'payee');
    for (const amount of [400n, 400n]) await transferUsdc(chain.rpcUrl, PAYEE, sold.payer, amount);
    await transferUsdc(chain.rpcUrl, PAYEE, other.payer, 300n);
    await withWorkers(1, async () => {
      await eventually(() => refunds.is(other.id, clear, 'refunded'), LONG_MS);
      expect(await refunds.is(sold.id, refund, 'requested')).toBe(true);
    });
  });

  it('are cancelled when their payment failed after a reorganization, but for those that were sent all the same', async () => {
    const [sent, sold] = (await refunds.sell(2)) as [Sold, Sold];
    await mintUsdc(chain.rpcUrl, PAYEE, 1_000n);
    const found = await refunds.ask(sent.id, 250n, 'payee');
    const left = await refunds.ask(sold.id, 250n, 'payee');
    await transferUsdc(chain.rpcUrl, PAYEE, sent.payer, 250n);
    for (const { id } of [sent, sold]) {
      const { state, version } = await loadPayment(desk.store, id);
      const { blockHash, transaction } = (state as Extract<Payment, { status: 'settled' }>).settled;
      await refunds.write(id, version, [
        { type: 'SettlementReverted', schema: 1, data: { blockHash, transaction } },
        { type: 'PaymentSettlementFailed', schema: 1, data: { reason: 'authorization_expired' } },
      ]);
    }
    await withWorkers(2, async () => {
      await eventually(() => refunds.is(sold.id, left, 'cancelled'), LONG_MS);
      await eventually(() => refunds.is(sent.id, found, 'refunded'), LONG_MS);
    });
  });

  it('are taken back with their block, and found where they went', async () => {
    const [sold] = (await refunds.sell(1)) as [Sold];
    await mintUsdc(chain.rpcUrl, PAYEE, 1_000n);
    const refund = await refunds.ask(sold.id, 250n, 'payee');
    await withWorkers(1, async () => {
      const lost = await transferUsdc(chain.rpcUrl, PAYEE, sold.payer, 250n);
      await eventually(() => refunds.is(sold.id, refund, 'refunded'), LONG_MS);
      await chain.node.request({ method: 'anvil_rollback', params: [1] } as never);
      await chain.node.dropTransaction({ hash: lost }).catch(() => undefined);
      await eventually(() => refunds.is(sold.id, refund, 'requested'), LONG_MS);
      await transferUsdc(chain.rpcUrl, PAYEE, sold.payer, 250n);
      await eventually(() => refunds.is(sold.id, refund, 'refunded'), LONG_MS);
    });
    expect(await refunds.transfers(sold.payer, PAYEE)).toEqual([250n]);
  });
});

it('a refund whose time is over by the chain has failed, and its amount is free', async () => {
  const [sold] = (await refunds.sell(1)) as [Sold];
  const refund = await refunds.ask(sold.id, 1_000n);
  const { validBefore } = await refunds.request(sold.id, refund);
  await withWorkers(1, async () => {
    await eventually(async () => (await desk.pool.query('select from refunds')).rowCount === 1);
    await chain.node.setNextBlockTimestamp({ timestamp: BigInt(validBefore!) + 601n });
    await chain.node.mine({ blocks: 1 });
    await eventually(() => refunds.is(sold.id, refund, 'failed'), LONG_MS);
  });
  expect((await refunds.request(sold.id, refund)).failed).toEqual({
    reason: 'expired',
    detail: 'ERC20: transfer amount exceeds balance',
  });
  await refunds.ask(sold.id, 1_000n);
});
