import { addressOf, type LocalChain, startLocalChain } from '../chain/support.js';
import {
  books,
  caughtUp,
  expectBooksEqualChain,
  follow,
  happened,
  openShop,
  reconcilerOf,
  register,
  reorganize,
  rich,
  type Shop,
  someone,
  transfer,
  verified,
} from './following.js';

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

/** A turn of its own process, as after a restart. */
async function read(): Promise<void> {
  const reconciler = reconcilerOf(shop, chain);
  await follow(reconciler);
  await reconciler.stop();
  await caughtUp(shop, chain);
  await verified(shop, chain);
}

describe('the reconciler', () => {
  it('keeps money that nobody explains apart, and books what the owner takes', async () => {
    const stranger = await rich(chain);
    await transfer(chain, stranger, shop.payee, 700n);
    await transfer(chain, shop.owner, someone(), 200n);
    await read();
    expect(await books(shop)).toEqual({ wallet: 500n, suspense: -700n, owner_withdrawals: 200n });
    await expectBooksEqualChain(shop, chain);
    await transfer(chain, stranger, shop.payee, 0n);
    await transfer(chain, shop.owner, shop.payee, 100n);
    await read();
    expect(await happened(shop)).toEqual(['WalletOpened', 'InboundTransferFound', 'OutboundTransferFound']);
    await expectBooksEqualChain(shop, chain);
  });

  it('begins with what a wallet held, from before its tenant', async () => {
    const owner = await rich(chain, 5_000n);
    await register(shop, chain, 'late', addressOf(owner));
    // The books begin an hour before now, which here is after the chain's newest block.
    const reconciler = reconcilerOf(shop, chain, { earlierSeconds: -3_600n });
    await follow(reconciler);
    await transfer(chain, owner, someone(), 1_000n);
    await follow(reconciler);
    await reconciler.stop();
    await caughtUp(shop, chain);
    expect(await books(shop)).toEqual({ wallet: 4_000n, opening_balance: -5_000n, owner_withdrawals: 1_000n });
    await expectBooksEqualChain(shop, chain);
  });

  it('follows a wallet that is named later, and one that is named no more', async () => {
    await read();
    const stranger = await rich(chain);
    const later = await rich(chain, 10n);
    await transfer(chain, stranger, addressOf(later), 30n);
    await read();
    await register(shop, chain, 'demo', addressOf(later), 1);
    await transfer(chain, stranger, shop.payee, 5n);
    await read();
    expect(await books(shop)).toEqual({ wallet: 45n, suspense: -45n });
    await expectBooksEqualChain(shop, chain);
  });

  it('puts what comes into a shared wallet into the book of the tenant that named it first', async () => {
    await register(shop, chain, 'second', shop.payee);
    await transfer(chain, await rich(chain), shop.payee, 9n);
    await read();
    const { rows } = await shop.pool.query("select tenant from events where type = 'InboundTransferFound'");
    expect(rows).toEqual([{ tenant: 'demo' }]);
  });

  it('has both sides of a transfer between two wallets', async () => {
    const other = await rich(chain, 0n);
    await register(shop, chain, 'other', addressOf(other));
    await transfer(chain, await rich(chain), shop.payee, 90n);
    await transfer(chain, shop.owner, addressOf(other), 40n);
    await read();
    expect(await books(shop)).toEqual({ wallet: 90n, suspense: -130n, owner_withdrawals: 40n });
    await expectBooksEqualChain(shop, chain);
    await reorganize(chain, 1);
    await read();
    expect(await books(shop)).toEqual({ wallet: 90n, suspense: -90n });
  });

  it('has settlements by others looked at after a reorganization, also if whoever saw it died before', async () => {
    const stranger = await rich(chain);
    await transfer(chain, stranger, shop.payee, 7n);
    let away = false;
    const first = reconcilerOf(shop, chain, {
      verifyOthers: async () => {
        if (away) throw new Error('dies here');
      },
    });
    await follow(first);
    await reorganize(chain, 1);
    away = true;
    await expect(follow(first)).rejects.toThrow('dies here');
    await shop.pool.query('update chain_checkpoints set lease_until = now()');
    let looks = 0;
    const next = reconcilerOf(shop, chain, { verifyOthers: async () => void looks++ });
    await follow(next);
    await follow(next);
    await next.stop();
    expect(looks).toBe(1);
  });

  it.each([1, 5, 12])('takes back what a reorganization of %i blocks removed, and finds what moved', async (depth) => {
    const stranger = await rich(chain);
    await transfer(chain, stranger, shop.payee, 1_000n);
    await chain.node.mine({ blocks: 2 });
    await read();
    const before = await chain.node.getBlockNumber({ cacheTime: 0 });
    await transfer(chain, stranger, shop.payee, 7n);
    await transfer(chain, shop.owner, someone(), 3n);
    while ((await chain.node.getBlockNumber({ cacheTime: 0 })) < before + BigInt(depth))
      await chain.node.mine({ blocks: 1 });
    await read();
    const found = await books(shop);
    expect(found).toEqual({ wallet: 1_004n, suspense: -1_007n, owner_withdrawals: 3n });
    const height = await chain.node.getBlockNumber({ cacheTime: 0 });
    await reorganize(chain, Number(height - before));
    await read();
    expect(await books(shop)).toEqual({ wallet: 1_000n, suspense: -1_000n });
    await expectBooksEqualChain(shop, chain);
    await transfer(chain, stranger, shop.payee, 8n);
    await read();
    expect(await books(shop)).toEqual({ wallet: 1_008n, suspense: -1_008n });
    expect((await happened(shop)).filter((type) => type.endsWith('Reverted'))).toHaveLength(2);
  });
});
