import type { EventStore } from '../../src/base/event-store/event-store.js';
import { type LocalChain, startLocalChain } from '../chain/support.js';
import {
  books,
  caughtUp,
  expectBooksEqualChain,
  follow,
  happened,
  openShop,
  reconcilerOf,
  rich,
  type Shop,
  someone,
  transfer,
} from './following.js';
import { Died, Gate } from './world.js';

let chain: LocalChain;
let shop: Shop;

beforeAll(async () => {
  chain = await startLocalChain();
  shop = await openShop(chain);
});
afterAll(async () => {
  await shop.close();
  await chain.stop();
});

/** A process that dies at one of its calls to the database, and says nothing more. */
async function dieAt(at: number, when: 'before' | 'after'): Promise<boolean> {
  const gate = new Gate(at, when);
  const append = gate.guardCall((write: Parameters<EventStore['append']>[0]) => shop.store.append(write));
  const readStreams = (streams: readonly string[]) => shop.store.readStreams(streams);
  const query = gate.guardCall((text: string, values: unknown[]) => shop.pool.query(text, values));
  const pool = { query } as unknown as Shop['pool'];
  const reconciler = reconcilerOf(shop, chain, { pool, store: { append, readStreams } });
  try {
    await follow(reconciler);
    return false;
  } catch (error) {
    if (!(error instanceof Died)) throw error;
    // Its lease lapses, as time would have it.
    await shop.pool.query('update chain_checkpoints set lease_until = now()');
    return true;
  }
}

describe('the reconciler, killed at every call', () => {
  it.each(['before', 'after'] as const)('writes each transfer down once, killed %s it', async (when) => {
    const stranger = await rich(chain);
    let sent = 0;
    for (let at = 1, died = true; died; at++) {
      await transfer(chain, stranger, shop.payee, 10n);
      await transfer(chain, shop.owner, someone(), 1n);
      sent++;
      died = await dieAt(at, when);
      const next = reconcilerOf(shop, chain);
      await follow(next);
      await next.stop();
    }
    await caughtUp(shop, chain);
    await expectBooksEqualChain(shop, chain);
    const { wallet = 0n, suspense = 0n } = await books(shop);
    expect(wallet * 10n).toBe(-suspense * 9n);
    expect(sent).toBeGreaterThan(5);
    expect(new Set(await happened(shop))).toEqual(
      new Set(['WalletOpened', 'InboundTransferFound', 'OutboundTransferFound']),
    );
  });
});
