import type { RedisLink } from '../../../base/platform/redis-link.js';
import { withTimeout } from '../../../base/platform/with-timeout.js';
import type { Network } from '../../../base/shared/hex.js';
import { type FacilitatorResult, facilitatorResults, type Health } from './facilitator-health.js';
import { nameOf, type TenantsFacilitator } from './tenants-facilitator.js';

const HEALTH = '{tollbook}:facilitators-of-tenants:health';
const COUNTS = '{tollbook}:facilitators-of-tenants:results';
const KEPT_SECONDS = 30 * 86_400;
const REDIS_MS = 1_000;

/** What workers know of a tenant's facilitator on a network. */
export interface Posted extends TenantsFacilitator {
  readonly network: Network;
  readonly health: Health;
  /** Requests by what they came to, since Redis was last empty. */
  readonly results: Readonly<Record<FacilitatorResult, number>>;
}

/** Where workers tell each other and the control plane how facilitators do: in Redis, and lost without harm. */
export class HealthBoard {
  constructor(private readonly redis: Pick<RedisLink, 'client'>) {}

  /** Never rejects, and keeps nothing back for a Redis that is away. */
  async post(network: Network, one: TenantsFacilitator, health: Health, result: FacilitatorResult): Promise<void> {
    if (this.redis.client.status !== 'ready') return;
    const name = `${network} ${nameOf(one)}`;
    const writes = this.redis.client
      .multi()
      .hset(HEALTH, name, JSON.stringify(health))
      .hincrby(COUNTS, `${name} ${result}`, 1)
      .expire(HEALTH, KEPT_SECONDS)
      .expire(COUNTS, KEPT_SECONDS);
    await withTimeout(writes.exec(), REDIS_MS, 'Redis did not answer in time').catch(() => undefined);
  }

  /** Rejects if Redis is away. */
  async read(): Promise<readonly Posted[]> {
    const { client } = this.redis;
    const asked = Promise.all([client.hgetall(HEALTH), client.hgetall(COUNTS)]);
    const [healths, counts] = await withTimeout(asked, REDIS_MS, 'Redis did not answer in time');
    return Object.entries(healths).map(([name, text]) => {
      const [network, tenant, url] = name.split(' ') as [Network, string, string];
      const results = facilitatorResults.map((result) => [result, Number(counts[`${name} ${result}`] ?? 0)]);
      return { network, tenant, url, health: JSON.parse(text), results: Object.fromEntries(results) };
    });
  }
}
