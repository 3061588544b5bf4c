import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type LocalChain, startLocalChain } from '../chain/support.js';
import { eventually } from '../support/eventually.js';
import { processScript } from '../support/process-script.js';
import { RefundDesk, type Sold } from './refund-desk.js';
import { type Desk, gasBooked, openDesk } from './support.js';

const LONG_MS = 30_000;

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

/** A worker that kills itself at a call to the chain, before or behind it. */
async function dieAt(point: string): Promise<void> {
  const script = processScript('test/settlement/refund-process');
  const args = [desk.databaseUrl, desk.redisUrl, chain.rpcUrl, chain.settlerKey, refunds.key, point];
  const child = spawn(process.execPath, [script, ...args], { stdio: 'inherit' });
  const [, signal] = await once(child, 'exit');
  expect(signal).toBe('SIGKILL');
}

describe('a worker that is killed while it refunds leaves a refund that is sent once', () => {
  it.each([
    ['after the request', 'before authorizationOutcome', 'requested'],
    ['when the log says that it may be sent', 'before sign', 'sent'],
    ['when it is signed', 'after sign', 'sent'],
    ['when it is in the book', 'before broadcast', 'sent'],
    ['when it was broadcast', 'after broadcast', 'sent'],
    ['when it is in a block, before the log knows', 'after transfer', 'sent'],
  ])('%s', async (_when, point, state) => {
    const [sold] = (await refunds.sell(1)) as [Sold];
    await refunds.fill(1_000n);
    const before = await chain.client.getBalance({ address: chain.settler });
    const booked = await gasBooked(desk);
    const refund = await refunds.ask(sold.id, 1_000n);
    await dieAt(point);
    expect(await refunds.is(sold.id, refund, state)).toBe(true);
    const worker = await refunds.work();
    try {
      await eventually(() => refunds.is(sold.id, refund, 'refunded'), LONG_MS);
      await eventually(async () => {
        const spent = before - (await chain.client.getBalance({ address: chain.settler }));
        return (await gasBooked(desk)) - booked === spent;
      }, LONG_MS);
    } finally {
      await worker.stop();
    }
    expect(await refunds.transfers(sold.payer)).toEqual([1_000n]);
    expect(await refunds.history(sold.id)).toEqual(['RefundRequested', 'RefundSubmitted', 'PaymentRefunded']);
  });
});
