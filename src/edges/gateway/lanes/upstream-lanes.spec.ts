import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Route } from '../../../domains/pricing/catalogue.schemas.js';
import { type Leave, UpstreamLanes, type WaitEnd } from './upstream-lanes.js';

const connection = () => new EventEmitter() as ServerResponse;
const routeOf = (upstreamConcurrency: Route['upstreamConcurrency']) =>
  ({ id: 'one', tenant: 'shop', upstreamConcurrency }) as Route;

describe('what metrics are told of a request that does not wait', () => {
  it.each<[string, number, number, WaitEnd]>([
    ['the queue is full', 0, 1_000, 'full'],
    ['its authorization leaves no time', 5, 0, 'late'],
    ['its authorization has lapsed', 5, -1, 'late'],
  ])('%s', async (_why, queue, mayWaitMs, how) => {
    const ended: WaitEnd[] = [];
    const lanes = new UpstreamLanes({ ended: (_route, _urgency, one) => ended.push(one) });
    const route = routeOf({ limit: 1, queue, waitMs: 60_000 });
    await lanes.enter(route, 3, 1_000, connection());
    expect(() => lanes.enter(route, 3, mayWaitMs, connection())).toThrow(
      expect.objectContaining({ code: 'route_busy', headers: { 'retry-after': '1' } }),
    );
    expect(ended).toEqual(['served', how]);
  });
});

describe('an upstream that is never idle', () => {
  /** Callers that come back as soon as they are served, until so many turns have been given. */
  async function saturated(callers: readonly number[], turns: number) {
    const lanes = new UpstreamLanes({ ended: () => undefined });
    const route = routeOf({ limit: 2, queue: 100, waitMs: 60_000 });
    const served: number[] = [];
    const running: Leave[] = [];
    const waits = new Map<number, number[]>();
    const call = async (urgency: number): Promise<void> => {
      while (served.length < turns) {
        const asked = served.length;
        const leave = (await lanes.enter(route, urgency, 60_000, connection()))!;
        const waited = served.push(urgency) - 1 - asked;
        waits.set(urgency, [...(waits.get(urgency) ?? []), waited]);
        await new Promise<void>((done) => running.push(() => done(leave())));
      }
    };
    const all = callers.map(call);
    let over = false;
    const done = Promise.all(all).then(() => {
      over = true;
    });
    while (!over) {
      running.shift()?.();
      await new Promise(setImmediate);
    }
    await done;
    return { served, waits };
  }

  it('serves who paid for it sooner, and nobody starves', async () => {
    const { served, waits } = await saturated([0, 0, 0, 0, 3, 3, 3, 3, 5], 400);
    const median = (urgency: number) => {
      const sorted = waits.get(urgency)!.toSorted((a, b) => a - b);
      return sorted[Math.floor(sorted.length / 2)]!;
    };
    expect(median(0)).toBeLessThan(median(3));
    expect(median(3)).toBeLessThan(median(5));
    // Lane u has its turn within 2^(u+1) + 8 turns (`FairQueue`), and so has each of the four that queue in it.
    expect(Math.max(...waits.get(5)!)).toBeLessThanOrEqual(2 ** 6 + 8);
    expect(Math.max(...waits.get(3)!)).toBeLessThanOrEqual(4 * (2 ** 4 + 8));
    const turnsOf = (urgency: number) => served.filter((one) => one === urgency).length;
    expect(turnsOf(0)).toBeGreaterThan(6 * turnsOf(3));
    expect(turnsOf(3)).toBeGreaterThan(2 * turnsOf(5));
    expect(turnsOf(5)).toBeGreaterThan(5);
  });
});
