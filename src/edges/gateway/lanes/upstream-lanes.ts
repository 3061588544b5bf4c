import type { ServerResponse } from 'node:http';
import { Problem } from '../../../base/shared/problem.js';
import type { Route } from '../../../domains/pricing/catalogue.schemas.js';
import { FairQueue, URGENCIES } from './fair-queue.js';

export type Concurrency = NonNullable<Route['upstreamConcurrency']>;

/** Ends a turn; to be called once, when the upstream is done. */
export type Leave = () => void;

/** How a wait ended, for metrics: served, or why not. */
export type WaitEnd = 'served' | 'full' | 'late' | 'gone' | 'stopped';

export interface LaneWatcher {
  /** @param waitedMs zero if nobody was before it */
  ended(route: Route, urgency: number, how: WaitEnd, waitedMs: number): void;
}

interface Waiter {
  serve(): void;
  stop(): void;
}

interface Lane {
  readonly route: Route;
  readonly queue: FairQueue<Waiter>;
  limit: number;
  inUse: number;
}

/** Told when the upstream is busy for too long, in seconds; a guess, since nobody knows when it is less so. */
const RETRY_AFTER_SECONDS = '1';
const NOTHING_HELD: Leave = () => undefined;

/**
 * How many requests of a route are at its upstream at the same time, from this gateway. The others wait, by urgency, no
 * longer than they may; whoever waits has paid for it with a good signature and holds nothing in the book yet.
 */
export class UpstreamLanes {
  private readonly lanes = new Map<string, Lane>();

  constructor(private readonly watcher: LaneWatcher) {}

  /** Would a request have to wait now? */
  isBusy(route: Route): boolean {
    const lane = this.lanes.get(keyOf(route));
    return (
      lane !== undefined && route.upstreamConcurrency !== undefined && lane.inUse >= route.upstreamConcurrency.limit
    );
  }

  /** How much of a route's limit is in use or waited for, in permille; 0 if it has none. */
  load(route: Route): number {
    const lane = this.lanes.get(keyOf(route));
    if (lane === undefined || route.upstreamConcurrency === undefined) return 0;
    return Math.floor(((lane.inUse + lane.queue.size) * 1000) / route.upstreamConcurrency.limit);
  }

  /** Requests that wait, by route and urgency, for metrics. */
  *waiting(): Generator<{ readonly route: Route; readonly urgency: number; readonly count: number }> {
    for (const { queue, route } of this.lanes.values()) {
      for (let urgency = 0; urgency < URGENCIES; urgency++) yield { route, urgency, count: queue.sizeOf(urgency) };
    }
  }

  /**
   * Waits for a turn. `undefined`: the client went away meanwhile.
   * @param mayWaitMs what the authorization leaves, in milliseconds; the route may allow less
   * @throws Problem `route_busy`, `shutting_down`
   */
  enter(route: Route, urgency: number, mayWaitMs: number, reply: ServerResponse): Promise<Leave | undefined> | Leave {
    const concurrency = route.upstreamConcurrency;
    if (concurrency === undefined) return NOTHING_HELD;
    const lane = this.laneOf(route, concurrency);
    if (lane.inUse < lane.limit) {
      lane.inUse++;
      this.watcher.ended(route, urgency, 'served', 0);
      return this.leaver(lane);
    }
    const waitMs = Math.min(concurrency.waitMs, mayWaitMs);
    const refused = lane.queue.size >= concurrency.queue ? 'full' : waitMs <= 0 ? 'late' : undefined;
    if (refused) {
      this.watcher.ended(route, urgency, refused, 0);
      throw busy();
    }
    return this.wait(lane, urgency, waitMs, reply);
  }

  /** Refuses whoever waits, when the gateway must stop. */
  stop(): void {
    for (const { queue } of this.lanes.values()) for (let next = queue.shift(); next; next = queue.shift()) next.stop();
  }

  private async wait(lane: Lane, urgency: number, waitMs: number, reply: ServerResponse): Promise<Leave | undefined> {
    const began = performance.now();
    if (reply.destroyed) return undefined;
    const how = await new Promise<Exclude<WaitEnd, 'full'>>((resolve) => {
      const end = (ending: Exclude<WaitEnd, 'full'>) => {
        clearTimeout(timer);
        reply.off('close', onClose);
        // At once, so that no turn is given to somebody who has left.
        lane.queue.remove(urgency, waiter);
        resolve(ending);
      };
      const timer = setTimeout(() => end('late'), waitMs);
      const onClose = () => end('gone');
      const waiter = { serve: () => end('served'), stop: () => end('stopped') };
      reply.once('close', onClose);
      lane.queue.push(urgency, waiter);
    });
    this.watcher.ended(lane.route, urgency, how, performance.now() - began);
    if (how === 'late') throw busy();
    if (how === 'stopped') throw new Problem('shutting_down');
    return how === 'served' ? this.leaver(lane) : undefined;
  }

  private leaver(lane: Lane): Leave {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      lane.inUse--;
      this.serveNext(lane);
    };
  }

  private serveNext(lane: Lane): void {
    while (lane.inUse < lane.limit) {
      const next = lane.queue.shift();
      if (next === undefined) return;
      lane.inUse++;
      next.serve();
    }
  }

  /** A route that was published anew keeps its place; a higher limit lets those that wait go on. */
  private laneOf(route: Route, { limit }: Concurrency): Lane {
    const key = keyOf(route);
    let lane = this.lanes.get(key);
    if (lane === undefined) {
      lane = { route, queue: new FairQueue(), limit, inUse: 0 };
      this.lanes.set(key, lane);
    }
    if (lane.limit !== limit) {
      lane.limit = limit;
      this.serveNext(lane);
    }
    return lane;
  }
}

function busy(): Problem {
  return new Problem('route_busy', undefined, { 'retry-after': RETRY_AFTER_SECONDS });
}

function keyOf({ id, tenant }: Route): string {
  return `${tenant}/${id}`;
}
