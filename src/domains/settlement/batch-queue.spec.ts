import { BATCH_FULL, BATCH_MAX } from './batch-plan.js';
import { BatchQueue } from './batch-queue.js';
import { type SettleItem, SettlementPending } from './settlement.ports.js';
import type { Submission } from './settlement.sender.js';

const NOW = Date.parse('2026-11-25T12:00:00Z');
const HOUR_SECONDS = 3_600;

function item(id: string, validSeconds = HOUR_SECONDS): SettleItem {
  const terms = { validBefore: String(NOW / 1000 + validSeconds) };
  return {
    id: `pay_${id}`,
    version: 2,
    state: { status: 'delivered', authorized: { terms } },
  } as unknown as SettleItem;
}

/** A queue whose batches are kept, and that has room when told. */
function newQueue() {
  const batches: string[][] = [];
  let open = () => {};
  let room: Promise<void> = Promise.resolve();
  const close = () => {
    room = new Promise((resolve) => {
      open = resolve;
    });
  };
  const send = async (items: readonly SettleItem[]) => {
    batches.push(items.map(({ id }) => id));
    return items.map(({ id }) =>
      id === 'pay_bad' ? { error: new Error('bad') } : { ok: { id } as unknown as Submission },
    );
  };
  const prices = async () => ({ now: 1n, usual: 1n });
  const queue = new BatchQueue({ send, room: () => room, prices, clock: () => NOW });
  return { queue, batches, close, open: () => open() };
}

describe('BatchQueue', () => {
  it('sends an urgent payment at once, with those who wait', async () => {
    const { batches, queue } = newQueue();
    const waits = queue.add(item('patient'), false);
    await queue.add(item('urgent'), true);
    await waits;
    expect(batches).toEqual([['pay_urgent', 'pay_patient']]);
  });

  it('lets patient payments wait for each other', async () => {
    const { batches, queue } = newQueue();
    const began = performance.now();
    const first = queue.add(item('first'), false);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await Promise.all([first, queue.add(item('second'), false)]);
    expect(batches).toEqual([['pay_first', 'pay_second']]);
    expect(performance.now() - began).toBeGreaterThan(900);
  });

  it('does not keep one whose authorization lapses soon', async () => {
    const { batches, queue } = newQueue();
    await queue.add(item('soon', 20), false);
    expect(batches).toEqual([['pay_soon']]);
  });

  it('sends larger batches when there was no room for a while', async () => {
    const { batches, close, open, queue } = newQueue();
    close();
    const sent = Array.from({ length: BATCH_MAX + 5 }, (_, n) => queue.add(item(String(n)), n === BATCH_MAX + 4));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(batches).toEqual([]);
    open();
    await Promise.all(sent);
    expect(batches[0]).toHaveLength(BATCH_MAX);
    expect(batches[0]![0]).toBe(`pay_${BATCH_MAX + 4}`);
    expect(batches.flat()).toHaveLength(BATCH_MAX + 5);
    expect(BATCH_MAX).toBeGreaterThan(BATCH_FULL);
  });

  it('rejects only those that failed', async () => {
    const { queue } = newQueue();
    const [good, bad] = await Promise.allSettled([queue.add(item('good'), true), queue.add(item('bad'), true)]);
    expect([good.status, bad.status]).toEqual(['fulfilled', 'rejected']);
  });

  it('ends all waiting when it is stopped, and takes nobody any more', async () => {
    const { batches, queue } = newQueue();
    const waits = queue.add(item('patient'), false);
    queue.stop();
    await expect(waits).rejects.toThrow(SettlementPending);
    await expect(queue.add(item('late'), true)).rejects.toThrow(SettlementPending);
    expect(batches).toEqual([]);
  });
});
