import type { SettlementMode } from '../../src/domains/payments/payment.js';
import { addressOf, type LocalChain, startLocalChain } from '../chain/support.js';
import { eventually } from '../support/eventually.js';
import { type Behaviour, behaviours, HostileFacilitator } from '../support/hostile-facilitator.js';
import { choose, storyOf } from './facilitators.js';
import {
  allAre,
  type Delivered,
  type Desk,
  deliver,
  gasBooked,
  heldBy,
  newPayer,
  openDesk,
  startWorker,
  stateOf,
  transfersFrom,
  type WorkerOptions,
} from './support.js';

const LONG_MS = 30_000;
const CONFIRM_MS = 800;
/** After which the payment has been settled by that facilitator, whatever it says. */
const SETTLING: ReadonlySet<Behaviour> = new Set(behaviours.filter((name) => name.startsWith('settles')));

let chain: LocalChain;
let desk: Desk;
let hostile: HostileFacilitator;
let honest: HostileFacilitator;

beforeAll(async () => {
  chain = await startLocalChain();
  hostile = await HostileFacilitator.start(chain.rpcUrl, 'settles');
  honest = await HostileFacilitator.start(chain.rpcUrl, 'settles');
});
afterAll(async () => {
  await Promise.all([hostile.stop(), honest.stop()]);
  await chain.stop();
});
beforeEach(async () => {
  desk = await openDesk();
  for (const one of [hostile, honest]) {
    one.asked.length = 0;
    one.followed = 0;
    one.kinds = undefined;
    one.behaviour = 'settles';
  }
});
afterEach(() => desk.close());

/** Runs one worker until all payments stand as asked. */
async function settleUntil(
  status: 'settled' | 'settlement_failed',
  sold: readonly Delivered[],
  options: WorkerOptions = {},
): Promise<void> {
  const worker = await startWorker(desk, chain, { confirmMs: CONFIRM_MS, ...options });
  const ids = sold.map(({ id }) => id);
  try {
    await eventually(() => allAre(desk, status, ids), LONG_MS);
  } finally {
    await worker.stop();
  }
}

async function sell(mode: SettlementMode, validBefore?: bigint) {
  const payer = await newPayer(chain, 10_000n);
  return { ...(await deliver(desk, chain, payer, { mode, validBefore })), payer: addressOf(payer) };
}

/** Of the next block, if it is mined now; epoch seconds. */
async function chainTime(): Promise<bigint> {
  const { timestamp } = await chain.client.getBlock();
  const now = BigInt(Math.floor(Date.now() / 1000));
  return timestamp > now ? timestamp : now;
}

describe('a facilitator that', () => {
  it.each(behaviours)('%s: the payment is settled once, by whom the chain says', async (behaviour) => {
    hostile.behaviour = behaviour;
    await choose(desk, [hostile, honest], 'never');
    const mode = behaviours.indexOf(behaviour) % 2 === 0 ? 'async' : 'after';
    const sold = await sell(mode);
    await settleUntil('settled', [sold]);
    expect(await transfersFrom(chain, sold.payer)).toBe(1);
    expect(await stateOf(desk, sold.id)).toMatchObject({ settled: { by: 'other' } });
    const story = await storyOf(desk, sold.id);
    // It may do so before or after the next one is asked.
    if (behaviour !== 'refuses, then settles') {
      const next = SETTLING.has(behaviour) ? [] : [honest.url];
      expect(story).toEqual([hostile.url, ...next, 'PaymentSettled']);
    }
    expect(hostile.asked).toHaveLength(1);
    expect(honest.asked.length).toBe(story.filter((one) => one === honest.url).length);
    expect(hostile.followed).toBe(0);
    if (mode === 'async') expect(await heldBy(desk, sold.payer)).toBe('0');
    expect(await gasBooked(desk)).toBe(0n);
  });
});

describe('the settlers here', () => {
  it.each(['never answers', 'refuses', 'says success without a transaction'] as const)(
    'settle what one that %s has not',
    async (behaviour) => {
      hostile.behaviour = behaviour;
      await choose(desk, [hostile], 'last');
      const sold = await sell('after');
      await settleUntil('settled', [sold]);
      expect(await stateOf(desk, sold.id)).toMatchObject({ settled: { by: 'settler' } });
      expect(await storyOf(desk, sold.id)).toEqual([hostile.url, 'own', 'SettlementSubmitted', 'PaymentSettled']);
      expect(await transfersFrom(chain, sold.payer)).toBe(1);
    },
  );

  it('are not asked if they never are: it fails with its reason when it lapses, and the payer is not charged', async () => {
    hostile.behaviour = 'refuses';
    await choose(desk, [hostile], 'never');
    const sold = await sell('async', (await chainTime()) + 6n);
    const blocks = setInterval(() => void chain.node.mine({ blocks: 1 }).catch(() => undefined), 500);
    try {
      await settleUntil('settlement_failed', [sold]);
    } finally {
      clearInterval(blocks);
    }
    expect(await stateOf(desk, sold.id)).toMatchObject({ failed: { reason: 'authorization_expired' } });
    expect(await transfersFrom(chain, sold.payer)).toBe(0);
    expect(await heldBy(desk, sold.payer)).toBe('1000');
  });
});

describe('a facilitator of two tenants', () => {
  it('that fails the key of one is as well as before for the other', async () => {
    hostile.behaviourFor.set('Bearer bad', 'says success with a transaction that nobody knows');
    await choose(desk, [{ url: hostile.url, authorization: 'Bearer bad' }], 'last');
    await choose(desk, [{ url: hostile.url, authorization: 'Bearer good' }], 'never', 'other');
    const worker = await startWorker(desk, chain, { confirmMs: CONFIRM_MS });
    try {
      const found = await sell('after');
      await eventually(() => allAre(desk, 'settled', [found.id]), LONG_MS);
      expect(await storyOf(desk, found.id)).toEqual([hostile.url, 'own', 'SettlementSubmitted', 'PaymentSettled']);
      const payer = await newPayer(chain, 10_000n);
      const { id } = await deliver(desk, chain, payer, { mode: 'after', tenant: 'other' });
      await eventually(() => allAre(desk, 'settled', [id]), LONG_MS);
      expect(await storyOf(desk, id)).toEqual([hostile.url, 'PaymentSettled']);
    } finally {
      await worker.stop();
      hostile.behaviourFor.clear();
    }
  });
});

describe('what a facilitator is told', () => {
  it('is what it needs, with what it is shown', async () => {
    await choose(desk, [{ url: honest.url, authorization: 'Bearer its-own' }], 'never');
    const sold = await sell('async');
    await settleUntil('settled', [sold]);
    expect(honest.asked).toMatchObject([{ authorization: 'Bearer its-own', body: { x402Version: 2 } }]);
  });

  it('is in the version that it speaks, and nothing if it serves another network', async () => {
    hostile.kinds = [{ x402Version: 2, scheme: 'exact', network: 'eip155:8453' }];
    honest.kinds = [{ x402Version: 1, scheme: 'exact', network: 'base-sepolia' }];
    await choose(desk, [hostile, honest], 'never');
    const sold = await sell('async');
    await settleUntil('settled', [sold]);
    expect(hostile.asked).toEqual([]);
    expect(honest.asked).toMatchObject([{ body: { x402Version: 1 } }]);
  });

  it('is nothing of a payment that the token would refuse', async () => {
    await choose(desk, [honest], 'never');
    const payer = await newPayer(chain, 0n);
    const sold = await deliver(desk, chain, payer, { mode: 'after' });
    await settleUntil('settlement_failed', [sold]);
    expect(await stateOf(desk, sold.id)).toMatchObject({ failed: { reason: 'insufficient_funds' } });
    expect(honest.asked).toEqual([]);
  });
});
