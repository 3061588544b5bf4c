import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Pool } from 'pg';
import type { ChainClient } from '../../base/chain/chain-client.js';
import { CHAIN, POOL } from '../../base/platform/tokens.js';
import { GasWatch } from '../../domains/settlement/gas-watch.js';
import { Draining } from './draining.js';
import { type Readiness, readiness } from './readiness.js';

/** For load balancers and supervisors; on both ports, without a key. */
@Controller('health')
export class HealthController {
  constructor(
    @Inject(POOL) private readonly pool: Pool,
    @Inject(CHAIN) private readonly chain: ChainClient,
    @Inject(GasWatch) private readonly gas: GasWatch,
    @Inject(Draining) private readonly draining: Draining,
  ) {}

  @Get('live')
  live(): { readonly status: string } {
    return { status: 'ok' };
  }

  @Get('ready')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<Readiness> {
    const { chain, gas, pool } = this;
    const state = await readiness({ pool, chain, gas, draining: () => this.draining.begun });
    void reply.status(state.ready ? 200 : 503);
    return state;
  }
}
