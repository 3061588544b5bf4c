import type { Clock } from '../../../base/shared/clock.js';
import type { Network } from '../../../base/shared/hex.js';
import { asking, type FacilitatorResult, type Health, observed, unknownHealth } from './facilitator-health.js';
import type { HealthBoard } from './health-board.js';

/** How facilitators do on one network, as this worker sees it; it begins with what others saw. */
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
    for (const { health, network, url } of posted) if (network === this.network) this.healths.set(url, health);
  }

  of(url: string): Health {
    return this.healths.get(url) ?? unknownHealth;
  }

  /** @param forMs the longest that it takes */
  asking(url: string, forMs: number): void {
    this.healths.set(url, asking(this.of(url), this.clock(), forMs));
  }

  observe(url: string, result: FacilitatorResult, latencyMs: number): void {
    const health = observed(this.of(url), result, latencyMs, this.clock());
    this.healths.set(url, health);
    void this.board.post(this.network, url, health, result);
  }
}
