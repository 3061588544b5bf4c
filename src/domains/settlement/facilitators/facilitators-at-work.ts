import type { Pool } from 'pg';
import type { SettlementChain } from '../../../base/chain/chain.js';
import type { Logger } from '../../../base/platform/logger.js';
import { type RedisLink, redisLink } from '../../../base/platform/redis-link.js';
import type { Clock } from '../../../base/shared/clock.js';
import { FacilitatorBook } from './facilitator-book.js';
import { FacilitatorClient } from './facilitator-client.js';
import { FacilitatorVault } from './facilitator-vault.js';
import { HealthBoard } from './health-board.js';
import { HealthKeeper } from './health-keeper.js';
import { type RemoteDeps, RemoteSettlement } from './remote-settlement.js';

export interface FacilitatorOptions {
  /** Key of what facilitators are shown. */
  readonly key: Buffer;
  /** How long the chain may take to show what a facilitator did, in milliseconds. */
  readonly confirmMs?: number;
}

/** What a worker has once for all chains to use outside facilitators. */
export class FacilitatorsAtWork {
  private readonly book: FacilitatorBook;
  private readonly redis: RedisLink;
  private readonly board: HealthBoard;
  private readonly keepers: HealthKeeper[] = [];

  constructor(
    pool: Pool,
    redisUrl: string,
    private readonly options: FacilitatorOptions,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {
    this.book = new FacilitatorBook(pool, new FacilitatorVault(options.key), log);
    this.redis = redisLink(redisUrl, { enableOfflineQueue: true });
    this.board = new HealthBoard(this.redis);
  }

  on(chain: SettlementChain, ports: Pick<RemoteDeps, 'execute' | 'signatures'>): RemoteSettlement {
    const { clock, log } = this;
    const health = new HealthKeeper(chain.network, this.board, clock);
    this.keepers.push(health);
    const { confirmMs } = this.options;
    const facilitatorsOf: RemoteDeps['facilitatorsOf'] = (tenant) => this.book.of(tenant);
    return new RemoteSettlement({
      ...ports,
      ...{ chain, facilitatorsOf, health, client: new FacilitatorClient(), clock, log, confirmMs },
    });
  }

  async start(): Promise<void> {
    await Promise.all([this.book.start(), ...this.keepers.map((keeper) => keeper.start())]);
  }

  async stop(): Promise<void> {
    await this.book.stop();
    this.redis.end();
  }
}
