import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Pool } from 'pg';
import type { Chains } from '../../base/chain/chains.js';
import { CHAINS, POOL } from '../../base/platform/tokens.js';
import { GasWatches } from '../../domains/settlement/gas-watches.js';
import { Draining } from './draining.js';
import { type Readiness, readiness } from './readiness.js';

/** For load balancers and supervisors; on both ports, without a key. */
@Controller('health')
export class HealthController {
  constructor(
    @Inject(POOL) private readonly pool: Pool,
    @Inject(CHAINS) private readonly chains: Chains,
    @Inject(GasWatches) private readonly gas: GasWatches,
    @Inject(Draining) private readonly draining: Draining,
  ) {}

  @Get('live')
  live(): { readonly status: string } {
    return { status: 'ok' };
  }

  @Get('ready')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<Readiness> {
    const { chains, gas, pool } = this;
    const state = await readiness({ pool, chains, gas, draining: () => this.draining.begun });
    void reply.status(state.ready ? 200 : 503);
    return state;
  }
}
