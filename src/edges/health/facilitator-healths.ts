import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Config } from '../../base/platform/config.js';
import { type RedisLink, redisLink } from '../../base/platform/redis-link.js';
import { CONFIG } from '../../base/platform/tokens.js';
import { HealthBoard, type Posted } from '../../domains/settlement/facilitators/health-board.js';

/** What workers have told of the facilitators that they ask. */
@Injectable()
export class FacilitatorHealths implements OnApplicationShutdown {
  private readonly redis: RedisLink;
  private readonly board: HealthBoard;

  constructor(@Inject(CONFIG) { redisUrl }: Config & { readonly redisUrl: string }) {
    this.redis = redisLink(redisUrl, { enableOfflineQueue: true });
    this.board = new HealthBoard(this.redis);
  }

  /** `undefined` if Redis is away: nobody knows, which changes no payment. */
  read(): Promise<readonly Posted[] | undefined> {
    return this.board.read().catch(() => undefined);
  }

  onApplicationShutdown(): void {
    this.redis.end();
  }
}
