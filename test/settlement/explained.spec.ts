import { appendDecided } from '../../src/base/event-store/append-decided.js';
import type { Hex } from '../../src/base/shared/hex.js';
import { transferStream } from '../../src/domains/payments/payment.refund.js';
import { decideExplain, ExplainTransfer } from '../../src/domains/payments/transfer.decide.js';
import { type Explanation, knownTransfer } from '../../src/domains/payments/transfer.js';
import { type LocalChain, startLocalChain } from '../chain/support.js';
import {
  books,
  caughtUp,
  expectBooksEqualChain,
  follow,
  happened,
  openShop,
  reconcilerOf,
  reorganize,
  rich,
  type Shop,
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
  await transfer(chain, await rich(chain), shop.payee, 700n);
  await read();
});
afterEach(() => shop.close());

async function read(): Promise<void> {
  const reconciler = reconcilerOf(shop, chain);
  await follow(reconciler);
  await reconciler.stop();
  await inOrder();
}

async function inOrder(): Promise<void> {
  await caughtUp(shop, chain);
  await expectBooksEqualChain(shop, chain);
  await verified(shop, chain);
}

interface Row {
  readonly transaction: Hex;
  readonly log_index: number;
  readonly state: string;
  readonly found_at: Date;
}

async function receipt(): Promise<Row> {
  const { rows } = await shop.pool.query<Row>("select * from chain_transfers where direction = 'in'");
  expect(rows).toHaveLength(1);
  return rows[0]!;
}

/** As the control plane does. */
async function explain(as: Explanation): Promise<void> {
  const { found_at: foundAt, log_index: logIndex, transaction } = await receipt();
  const place = { network: chain.token.network, transaction, logIndex };
  const command = new ExplainTransfer('demo', place, as);
  await appendDecided(shop.store, { stream: transferStream(place.network, place), tenant: 'demo' }, async (stored) =>
    decideExplain(knownTransfer(stored).state, command, foundAt.getTime()),
  );
  await inOrder();
}

describe('what somebody says of money that nobody explains', () => {
  it.each([
    ['owner_deposit', { wallet: 700n, owner_deposits: -700n }],
    ['income', { wallet: 700n, other_income: -700n }],
    ['returned', { wallet: 700n, owner_withdrawals: -700n }],
  ] as const)('takes it out of suspense: %s', async (as, expected) => {
    const { found_at: foundAt } = await receipt();
    await explain(as);
    expect(await books(shop)).toEqual(expected);
    expect(await receipt()).toMatchObject({ state: as, found_at: foundAt });
    await explain(as);
    await read();
    expect(await happened(shop)).toEqual(['WalletOpened', 'InboundTransferFound', 'InboundTransferExplained']);
  });

  it('is replaced by what is said later', async () => {
    await explain('income');
    await explain('owner_deposit');
    expect(await books(shop)).toEqual({ wallet: 700n, owner_deposits: -700n });
    expect((await receipt()).state).toBe('owner_deposit');
  });

  it('is withdrawn by a reorganization, with the transfer', async () => {
    await explain('income');
    await reorganize(chain, 1);
    await read();
    expect(await books(shop)).toEqual({});
    expect((await receipt()).state).toBe('reverted');
    expect((await happened(shop)).slice(-2)).toEqual([
      'InboundTransferExplanationWithdrawn',
      'InboundTransferReverted',
    ]);
    await expect(explain('income')).rejects.toMatchObject({ code: 'transfer_not_open' });
  });
});
