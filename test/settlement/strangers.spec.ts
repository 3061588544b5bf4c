import { transfersOf } from '../../src/base/chain/transfer-logs.js';
import { foldPayment, loadPayment } from '../../src/domains/payments/handler-for.js';
import type { PaymentId } from '../../src/domains/payments/payment.js';
import { paymentStream } from '../../src/domains/payments/payment.js';
import { decideRefund, RecordRefund } from '../../src/domains/payments/payment.refund.js';
import { recordRefund } from '../../src/domains/payments/refunds.js';
import { addressOf, type LocalChain, startLocalChain } from '../chain/support.js';
import { eventually } from '../support/eventually.js';
import {
  books,
  broadcast,
  cancel,
  caughtUp,
  expectBooksEqualChain,
  follow,
  happened,
  openShop,
  pauseOf,
  reconcilerOf,
  register,
  reorganize,
  rich,
  type Shop,
  sendRaw,
  signTransfer,
  transfer,
  verified,
  withGas,
} from './following.js';
import { allAre, deliver, newPayer, startWorker, stateOf } from './support.js';

const LONG_MS = 30_000;

let chain: LocalChain;
let shop: Shop;

beforeAll(async () => {
  chain = await startLocalChain();
});
afterAll(() => chain.stop());
beforeEach(async () => {
  shop = await openShop(chain);
});
afterEach(() => shop.close());

async function inOrder(): Promise<void> {
  await caughtUp(shop, chain);
  await expectBooksEqualChain(shop, chain);
  await verified(shop, chain);
}

describe('an authorization of an open payment', () => {
  it('that a stranger used, or its payer cancelled, is told to the engine, and one of ours is not', async () => {
    const payer = await newPayer(chain, 10_000n);
    const sell = () => deliver(shop, chain, payer, { mode: 'async', payee: shop.payee });
    const [used, cancelled, left] = [await sell(), await sell(), await sell()];
    await eventually(async () => {
      const { rows } = await shop.pool.query("select 1 from payments where state = 'delivered'");
      return rows.length === 3;
    });
    const hurried: PaymentId[] = [];
    const reconciler = reconcilerOf(shop, chain, { hurried });
    await follow(reconciler);
    await broadcast(chain, await withGas(chain), used);
    await cancel(chain, payer, cancelled.authorization.nonce);
    await follow(reconciler);
    await reconciler.stop();
    expect(hurried.sort()).toEqual([used.id, cancelled.id].sort());
    expect(hurried).not.toContain(left.id);
    // Until the engine has settled it, the money is on its way and in no event.
    expect(await happened(shop)).toEqual(['WalletOpened']);
    expect((await shop.pool.query('select state from chain_transfers')).rows).toEqual([{ state: 'in_flight' }]);
  });

  it('is settled soon after a stranger used it, though the next attempt is far away', async () => {
    // Without money, so that attempts fail and their pauses grow.
    const payer = await newPayer(chain, 0n);
    const worker = await startWorker(shop, chain);
    try {
      const sold = await deliver(shop, chain, payer, { mode: 'async', payee: shop.payee });
      await eventually(async () => (await pauseOf(shop, chain.token.network, sold.id)) > 6_000, LONG_MS);
      await transfer(chain, await rich(chain), addressOf(payer), 1_000n);
      await broadcast(chain, await withGas(chain), sold);
      await eventually(() => allAre(shop, 'settled', [sold.id]), 4_000);
      expect(await stateOf(shop, sold.id)).toMatchObject({ settled: { by: 'other' } });
      await eventually(async () => (await shop.pool.query('select 1 from chain_transfers')).rows.length === 0);
      await inOrder();
    } finally {
      await worker.stop();
    }
  });
});

describe('money for a payment that failed', () => {
  it('is kept apart, with the payment, and taken back by a reorganization', async () => {
    const payer = await newPayer(chain, 0n);
    const worker = await startWorker(shop, chain);
    try {
      const sold = await deliver(shop, chain, payer, { mode: 'after', payee: shop.payee });
      await eventually(() => allAre(shop, 'settlement_failed', [sold.id]), LONG_MS);
      await transfer(chain, await rich(chain), addressOf(payer), 1_000n);
      await broadcast(chain, await withGas(chain), sold);
      await eventually(async () => (await happened(shop)).includes('InboundTransferFound'), LONG_MS);
      const { rows } = await shop.pool.query(
        "select data->>'payment' as payment from events where type like 'Inbound%'",
      );
      expect(rows).toEqual([{ payment: sold.id }]);
      await inOrder();
      expect(await books(shop)).toMatchObject({ wallet: 1_000n, suspense: -1_000n });
      await reorganize(chain, 1);
      await eventually(async () => (await happened(shop)).includes('InboundTransferReverted'), LONG_MS);
      await inOrder();
    } finally {
      await worker.stop();
    }
  });

  it('is corrected when the payment was only taken after its money had come', async () => {
    const payer = await newPayer(chain, 10_000n);
    const worker = await startWorker(shop, chain);
    try {
      // A second desk with the same ids: what it wrote is not in this log yet.
      const elsewhere = await openShop(chain);
      const sold = await deliver(elsewhere, chain, payer, { mode: 'async', payee: shop.payee });
      await broadcast(chain, await withGas(chain), sold);
      await eventually(async () => (await happened(shop)).includes('InboundTransferFound'), LONG_MS);
      await crowd(500);
      const events = await elsewhere.store.readStream(paymentStream(sold.id));
      const { rows } = await elsewhere.pool.query('select signature, valid_before from authorizations');
      const row = { payment_id: sold.id, signature: rows[0].signature, valid_before: rows[0].valid_before };
      await elsewhere.close();
      await shop.store.append({
        stream: paymentStream(sold.id),
        tenant: 'demo',
        expectedVersion: 0,
        decide: () => ({ events, attachments: [{ table: 'authorizations', row }] }),
      });
      await eventually(() => allAre(shop, 'settled', [sold.id]), LONG_MS);
      await eventually(async () => (await happened(shop)).includes('InboundTransferMatched'), LONG_MS);
      await shop.pool.query("delete from chain_transfers where tenant = 'crowd'");
      await inOrder();
      expect(await books(shop)).toMatchObject({ wallet: 1_000n });
      expect(await books(shop)).not.toHaveProperty('suspense');
    } finally {
      await worker.stop();
    }
  });
});

/** Later transfers by authorizations that nobody was shown, as anybody can send them. */
async function crowd(count: number): Promise<void> {
  await shop.pool.query(
    `insert into chain_transfers (network, transaction, log_index, direction, tenant, asset, wallet, counterparty, amount,
       block_number, block_hash, payment, state, found_at)
     select network, 'crowd ' || n, 0, direction, 'crowd', asset, wallet, counterparty, 1, 0, block_hash, 'pay_crowd' || n, 'found',
       found_at + interval '1 hour' from chain_transfers, generate_series(1, $1) as n`,
    [count],
  );
}

describe('a refund that the reconciler found first', () => {
  it('is recorded all the same, and is no withdrawal any more', async () => {
    const payer = await newPayer(chain, 10_000n);
    const worker = await startWorker(shop, chain);
    try {
      const sold = await deliver(shop, chain, payer, { mode: 'async', payee: shop.payee });
      await eventually(() => allAre(shop, 'settled', [sold.id]), LONG_MS);
      const transaction = await transfer(chain, shop.owner, addressOf(payer), 400n);
      await eventually(async () => (await happened(shop)).includes('OutboundTransferFound'), LONG_MS);
      await inOrder();
      expect(await books(shop)).toMatchObject({ wallet: 600n, owner_withdrawals: 400n });
      const ports = {
        store: shop.store,
        transfers: () => transfersOf(chain.client, chain.token, transaction),
        execute: (command: RecordRefund) => execute(command),
      };
      const first = await recordRefund(ports, sold.id, { transaction });
      expect(first).toMatchObject({ repeated: false, refund: { amount: '400' } });
      expect(await recordRefund(ports, sold.id, { transaction })).toMatchObject({ repeated: true });
      await inOrder();
      expect(await books(shop)).toMatchObject({ wallet: 600n, refunds: 400n });
      expect(await books(shop)).not.toHaveProperty('owner_withdrawals');
      expect((await happened(shop)).at(-1)).toBe('OutboundTransferClaimed');
    } finally {
      await worker.stop();
    }
  });

  it('nor while a reorganization has taken it back, though its transaction comes into a block again, later', async () => {
    const payer = await newPayer(chain, 10_000n);
    const worker = await startWorker(shop, chain);
    try {
      const sold = await deliver(shop, chain, payer, { mode: 'async', payee: shop.payee });
      await eventually(() => allAre(shop, 'settled', [sold.id]), LONG_MS);
      const raw = await signTransfer(chain, shop.owner, addressOf(payer), 400n);
      const transaction = await sendRaw(chain, raw);
      const ports = {
        store: shop.store,
        transfers: () => transfersOf(chain.client, chain.token, transaction),
        execute: (command: RecordRefund) => execute(command),
      };
      await recordRefund(ports, sold.id, { transaction });
      await inOrder();
      await reorganize(chain, 1);
      await eventually(async () => {
        const events = await shop.store.readStream(paymentStream(sold.id));
        return events.at(-1)!.type === 'RefundReverted';
      }, LONG_MS);
      expect(await sendRaw(chain, raw)).toBe(transaction);
      await inOrder();
      expect(await books(shop)).toMatchObject({ wallet: 600n, owner_withdrawals: 400n });
      expect(await recordRefund(ports, sold.id, { transaction })).toMatchObject({ repeated: false });
      await inOrder();
      expect(await books(shop)).toMatchObject({ wallet: 600n, refunds: 400n });
      expect(await books(shop)).not.toHaveProperty('owner_withdrawals');
    } finally {
      await worker.stop();
    }
  });

  /** As the handler does. */
  async function execute(command: RecordRefund) {
    const before = await loadPayment(shop.store, command.paymentId);
    const { claim, events, removals } = decideRefund(before.state, command);
    if (typeof events === 'function') throw new Error('a refund asks for no limit');
    const written = await shop.store.append({
      ...{ stream: paymentStream(command.paymentId), tenant: 'demo', expectedVersion: before.version, claim },
      decide: () => ({ events, removals }),
    });
    return { state: foldPayment(events, before.state), version: written.version, events };
  }
});

describe('two workers', () => {
  it('write each transfer down once, and one goes on when the other is gone', async () => {
    const other = await rich(chain, 0n);
    await register(shop, chain, 'other', addressOf(other));
    const stranger = await rich(chain);
    const workers = [await startWorker(shop, chain), await startWorker(shop, chain)];
    try {
      for (let n = 1n; n <= 5n; n++) await transfer(chain, stranger, n % 2n ? shop.payee : addressOf(other), n);
      await inOrder();
      await workers.shift()!.stop();
      await transfer(chain, stranger, shop.payee, 100n);
      await inOrder();
      expect((await happened(shop)).filter((type) => type === 'InboundTransferFound')).toHaveLength(6);
      expect(await books(shop)).toMatchObject({ wallet: 115n, suspense: -115n });
    } finally {
      await Promise.all(workers.map((worker) => worker.stop()));
    }
  });
});
