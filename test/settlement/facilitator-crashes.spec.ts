import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { jest } from '@jest/globals';
import { addressOf, type LocalChain, startLocalChain } from '../chain/support.js';
import { eventually } from '../support/eventually.js';
import { HostileFacilitator } from '../support/hostile-facilitator.js';
import { processScript } from '../support/process-script.js';
import { choose, storyOf } from './facilitators.js';
import { allAre, type Desk, deliver, newPayer, openDesk, startWorker, transfersFrom } from './support.js';

/** A process of its own takes its time to start on a busy machine. */
const LONG_MS = 90_000;
const CONFIRM_MS = 2_000;
const PAYMENTS = 12;

jest.setTimeout(240_000);

let chain: LocalChain;
let desk: Desk;
let first: HostileFacilitator;
let second: HostileFacilitator;

beforeAll(async () => {
  chain = await startLocalChain();
});
afterAll(() => chain.stop());
beforeEach(async () => {
  desk = await openDesk();
  first = await HostileFacilitator.start(chain.rpcUrl, 'settles');
  second = await HostileFacilitator.start(chain.rpcUrl, 'settles');
  await choose(desk, [first, second], 'never');
});
afterEach(async () => {
  await Promise.all([first.stop(), second.stop()]);
  await desk.close();
});

async function sell(count: number) {
  const payer = await newPayer(chain, 100_000n);
  const sold = await Promise.all(Array.from({ length: count }, () => deliver(desk, chain, payer, { mode: 'async' })));
  return { payer: addressOf(payer), ids: sold.map(({ id }) => id) };
}

function noncesAsked(facilitators: readonly HostileFacilitator[]): string[] {
  const bodies = facilitators.flatMap(({ asked }) => asked.map(({ body }) => body));
  return bodies.map((body) => (body as Settle).paymentPayload.payload.authorization.nonce);
}
interface Settle {
  readonly paymentPayload: { readonly payload: { readonly authorization: { readonly nonce: string } } };
}

describe('a worker killed while a facilitator has a payment', () => {
  it.each([
    ['settles, then times out', []],
    ['never answers', ['second']],
  ] as const)(
    'one that %s: its successor asks nobody too early, and the payment is settled once',
    async (behaviour, next) => {
      first.behaviour = behaviour;
      const { ids, payer } = await sell(1);
      const script = processScript('test/settlement/worker-process');
      const args = [desk.databaseUrl, desk.redisUrl, chain.rpcUrl, chain.settlerKey, String(CONFIRM_MS)];
      const child = spawn(process.execPath, [script, ...args], { stdio: 'inherit' });
      await eventually(() => first.asked.length === 1, LONG_MS).finally(() => child.kill('SIGKILL'));
      await once(child, 'exit');
      const worker = await startWorker(desk, chain, { confirmMs: CONFIRM_MS });
      try {
        await eventually(() => allAre(desk, 'settled', ids), LONG_MS);
      } finally {
        await worker.stop();
      }
      expect(await storyOf(desk, ids[0]!)).toEqual([first.url, ...next.map(() => second.url), 'PaymentSettled']);
      expect(await transfersFrom(chain, payer)).toBe(1);
    },
  );
});

describe('two workers at once', () => {
  it('ask for each payment once, and settle each once', async () => {
    first.behaviour = 'settles twice';
    const { ids, payer } = await sell(PAYMENTS);
    const workers = await Promise.all([1, 2].map(() => startWorker(desk, chain, { confirmMs: CONFIRM_MS })));
    try {
      // Both have each job, whatever the queue gave to whom.
      await eventually(() => allAre(desk, 'settled', ids), LONG_MS);
    } finally {
      await Promise.all(workers.map((worker) => worker.stop()));
    }
    const nonces = noncesAsked([first, second]);
    const stories = await Promise.all(ids.map((id) => storyOf(desk, id)));
    expect(new Set(nonces).size).toBe(PAYMENTS);
    // Nobody asks without saying so first; who is too slow to connect is given up before it asks.
    expect(nonces.length).toBeLessThanOrEqual(stories.flat().length - PAYMENTS);
    expect(await transfersFrom(chain, payer)).toBe(PAYMENTS);
  });
});

describe('a liar', () => {
  it('is found out once, and passed over', async () => {
    first.behaviour = 'says success with a transaction of something else';
    const worker = await startWorker(desk, chain, { confirmMs: CONFIRM_MS });
    try {
      for (let n = 0; n < 4; n++) {
        const { ids } = await sell(1);
        await eventually(() => allAre(desk, 'settled', ids), LONG_MS);
      }
    } finally {
      await worker.stop();
    }
    expect(first.asked).toHaveLength(1);
    expect(second.asked).toHaveLength(4);
  });
});
