import type { Clock } from '../../../base/shared/clock.js';
import type { Network } from '../../../base/shared/hex.js';
import { asking, type FacilitatorResult, type Health, observed, unknownHealth } from './facilitator-health.js';
import type { HealthBoard } from './health-board.js';
import { nameOf, type TenantsFacilitator } from './tenants-facilitator.js';

/** How the facilitators of each tenant do on one network, as this worker sees it; it begins with what others saw. */
export class HealthKeeper {
  private readonly healths = new Map<string, Health>();

  constructor(
    private readonly network: Network,
    private readonly board: Pick<HealthBoard, 'post' | 'read'>,
    private readonly clock: Clock,
  ) {}

  /** Never rejects: without Redis everybody is new. */
  async start(): Promise<void> {
    const posted = await this.board.read().catch(() => []);
    for (const one of posted) if (one.network === this.network) this.healths.set(nameOf(one), one.health);
  }

  of(one: TenantsFacilitator): Health {
    return this.healths.get(nameOf(one)) ?? unknownHealth;
  }

  /** @param forMs the longest that it takes */
  asking(one: TenantsFacilitator, forMs: number): void {
    this.healths.set(nameOf(one), asking(this.of(one), this.clock(), forMs));
  }

  observe(one: TenantsFacilitator, result: FacilitatorResult, latencyMs: number): void {
    const health = observed(this.of(one), result, latencyMs, this.clock());
    this.healths.set(nameOf(one), health);
    void this.board.post(this.network, one, health, result);
  }
}
