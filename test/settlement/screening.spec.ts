import type { Screening, Verdict } from '../../src/domains/customers/screening.port.js';
import { ScreeningUnavailable } from '../../src/domains/customers/screening.port.js';
import { addressOf, type LocalChain, startLocalChain } from '../chain/support.js';
import { eventually } from '../support/eventually.js';
import { allAre, type Desk, deliver, newPayer, openDesk, startWorker, stateOf, transfersFrom } from './support.js';

const LONG_MS = 40_000;

let chain: LocalChain;
let desk: Desk;
let worker: { stop(): Promise<void> } | undefined;

beforeAll(async () => {
  chain = await startLocalChain();
});
afterAll(() => chain.stop());
beforeEach(async () => {
  desk = await openDesk();
});
afterEach(async () => {
  await worker?.stop();
  await desk.close();
});

/** What it says is up to the test; `undefined` is no answer. */
function switched(says: { verdict: Verdict | undefined; asked: number }): Screening {
  return {
    known: () => undefined,
    async screen() {
      says.asked++;
      if (says.verdict === undefined) throw new ScreeningUnavailable('away');
      return says.verdict;
    },
    start: async () => undefined,
    stop: async () => undefined,
  };
}

function reasonOf(id: string): Promise<string | null> {
  return desk.pool
    .query<{ reason: string | null }>('select reason from payments where id = $1', [id])
    .then(({ rows }) => rows[0]?.reason ?? null);
}

describe('a payer who was denied after the delivery', () => {
  it('is not taken money from while that stands, and the payment says why; then it is settled once', async () => {
    const says = { verdict: 'denied' as Verdict | undefined, asked: 0 };
    const payer = await newPayer(chain, 10_000n);
    const { id } = await deliver(desk, chain, payer, { mode: 'async' });
    worker = await startWorker(desk, chain, { screening: switched(says) });
    await eventually(async () => (await reasonOf(id)) === 'screening_denied', LONG_MS);
    const asked = says.asked;
    await eventually(() => says.asked > asked + 1, LONG_MS);
    expect(await stateOf(desk, id)).toMatchObject({ status: 'delivered', held: { reason: 'screening_denied' } });
    const { rows } = await desk.pool.query('select raw from settlement_transactions');
    expect(rows).toEqual([]);
    says.verdict = 'clear';
    await eventually(() => allAre(desk, 'settled', [id]), LONG_MS);
    expect(await transfersFrom(chain, addressOf(payer))).toBe(1);
    await eventually(async () => (await reasonOf(id)) === null);
  });

  it('keeps the money if the authorization lapses meanwhile', async () => {
    const says = { verdict: 'denied' as Verdict | undefined, asked: 0 };
    const payer = await newPayer(chain, 10_000n);
    const validBefore = (await chain.client.getBlock()).timestamp + 3_600n;
    const { id } = await deliver(desk, chain, payer, { mode: 'async', validBefore });
    // Not far behind the chain's clock as it will be.
    worker = await startWorker(desk, chain, { clock: () => Date.now() + 3_650_000, screening: switched(says) });
    await eventually(async () => (await reasonOf(id)) === 'screening_denied', LONG_MS);
    await chain.node.increaseTime({ seconds: 3_700 });
    await chain.node.mine({ blocks: 1 });
    await eventually(() => allAre(desk, 'settlement_failed', [id]), LONG_MS);
    expect(await stateOf(desk, id)).toMatchObject({ failed: { reason: 'authorization_expired' } });
    expect(await transfersFrom(chain, addressOf(payer))).toBe(0);
  });
});

describe('when nobody can say whether a payer is denied', () => {
  it('the settlement waits, and nothing is written down about the payer', async () => {
    const says = { verdict: undefined as Verdict | undefined, asked: 0 };
    const payer = await newPayer(chain, 10_000n);
    const { id } = await deliver(desk, chain, payer, { mode: 'after' });
    worker = await startWorker(desk, chain, { screening: switched(says) });
    await eventually(() => says.asked > 1, LONG_MS);
    expect(await stateOf(desk, id)).toMatchObject({ status: 'delivered' });
    expect(await stateOf(desk, id)).not.toHaveProperty('held');
    says.verdict = 'clear';
    await eventually(() => allAre(desk, 'settled', [id]), LONG_MS);
  });
});
