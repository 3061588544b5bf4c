import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Logger } from '../../base/platform/logger.js';
import { type RedisLink, redisLink } from '../../base/platform/redis-link.js';
import type { Route } from '../../domains/pricing/catalogue.schemas.js';
import { inTime } from './in-time.js';
import { LocalBudget } from './local-budget.js';
import type { ServiceLimit } from './rate-limit-fields.js';

/** Longest wait for Redis, in milliseconds; then this gateway counts by itself. */
const REDIS_MS = 50;
const POLICY = 'route';

type RateLimit = NonNullable<Route['rateLimit']>;

interface RouteLimits {
  /** What payers may do, on all gateways together. */
  readonly shared: RateLimiterRedis;
  /** The same on this gateway alone, when Redis does not answer. */
  readonly alone: RateLimiterMemory;
  /** What may be offered to one address, on this gateway: an offer must not touch a store. */
  readonly offers: LocalBudget;
}

/**
 * Requests per caller and route in fixed windows. Payers are counted in Redis, so by all gateways together; while Redis
 * is away or slow each gateway counts by itself. Routes without a limit cost nothing, not even a connection.
 */
export class RateLimits {
  /** By route object, so that a newly published limit counts at once; what Redis counted so far stays. */
  private readonly routes = new WeakMap<Route, RouteLimits>();
  private redis: RedisLink | undefined;

  constructor(
    private readonly redisUrl: string,
    private readonly log: Logger,
  ) {}

  /** Counts an offer; `undefined` if it may be made. @param now epoch milliseconds */
  overOffers(route: Route, addressOf: () => string, now: number): ServiceLimit | undefined {
    if (route.rateLimit === undefined) return undefined;
    const { offers } = this.limitsOf(route, route.rateLimit);
    const address = addressOf();
    return offers.take(address, now) ? undefined : offers.standing(address, now);
  }

  /** Counts a request of a caller who is proven; `undefined` if it may go on. Waits a moment at most, and never throws. */
  async over(route: Route, caller: string): Promise<ServiceLimit | undefined> {
    if (route.rateLimit === undefined) return undefined;
    const { points, seconds } = route.rateLimit;
    try {
      await count(this.limitsOf(route, route.rateLimit), caller);
      return undefined;
    } catch (refusal) {
      // Both counters refuse in this way; whatever else goes wrong is no reason to turn a payer away.
      if (!(refusal instanceof RateLimiterRes)) return undefined;
      const resetSeconds = refusal.msBeforeNext / 1000;
      return { policy: POLICY, quota: points, windowSeconds: seconds, remaining: 0, resetSeconds };
    }
  }

  stop(): void {
    this.redis?.end();
  }

  private limitsOf(route: Route, rateLimit: RateLimit): RouteLimits {
    let limits = this.routes.get(route);
    if (limits === undefined) {
      limits = this.compile(route, rateLimit);
      this.routes.set(route, limits);
    }
    return limits;
  }

  private compile({ id, tenant }: Route, { points, seconds: duration }: RateLimit): RouteLimits {
    const keyPrefix = `{tollbook}:rate:${tenant}/${id}/${duration}`;
    const shared = new RateLimiterRedis({
      storeClient: this.client(),
      rejectIfRedisNotReady: true,
      keyPrefix,
      points,
      duration,
      // Whoever is over the limit is refused from memory until its window ends.
      inMemoryBlockOnConsumed: points + 1,
    });
    const alone = new RateLimiterMemory({ keyPrefix, points, duration });
    return { shared, alone, offers: new LocalBudget(POLICY, points, duration) };
  }

  private client() {
    if (this.redis === undefined) {
      this.redis = redisLink(this.redisUrl, { enableOfflineQueue: false });
      const report = this.redis.firstOf((error) => this.log.warn({ err: error.message }, 'rate limits are local'));
      this.redis.client.on('error', report);
    }
    return this.redis.client;
  }
}

/** In Redis or, if that fails or is late, here. @throws RateLimiterRes if there is no more */
async function count({ alone, shared }: RouteLimits, caller: string): Promise<void> {
  try {
    await inTime(shared.consume(caller), REDIS_MS);
  } catch (error) {
    if (error instanceof RateLimiterRes) throw error;
    await alone.consume(caller);
  }
}
