import { Body, Controller, Inject, Param, Post, Res, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { type Chains, chainOf } from '../../base/chain/chains.js';
import { transfersOf } from '../../base/chain/transfer-logs.js';
import { EventStore } from '../../base/event-store/event-store.js';
import { CHAINS } from '../../base/platform/tokens.js';
import type { Hex } from '../../base/shared/hex.js';
import { Problem } from '../../base/shared/problem.js';
import type { PaymentId } from '../../domains/payments/payment.js';
import { type Recorded, type RefundPorts, recordRefund } from '../../domains/payments/refunds.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { Idempotent } from './idempotency.js';
import { parseBody } from './input.js';

const PAYMENT_ID = /^pay_[0-9a-f]{32}$/;
const LOG_INDEX_MAX = 1_000_000;

const refundBody = z.strictObject({
  transaction: z
    .string()
    .regex(/^0x[0-9a-fA-F]{64}$/, 'a transaction hash of 32 bytes in hex')
    .transform((text) => text.toLowerCase() as Hex),
  log_index: z.int().min(0).max(LOG_INDEX_MAX).optional(),
});

interface RefundView {
  readonly payment: string;
  readonly network: string;
  readonly asset: string;
  /** Atomic units. */
  readonly amount: string;
  readonly transaction: string;
  readonly log_index: number;
  readonly block_number: string;
  readonly block_hash: string;
}

@Controller('admin/v1/payments/:id/refunds')
@UseGuards(AdminKeyGuard)
export class RefundsController {
  private readonly ports: RefundPorts;

  constructor(
    @Inject(EventStore) store: EventStore,
    @Inject(CommandBus) bus: CommandBus,
    @Inject(CHAINS) chains: Chains,
  ) {
    const transfers: RefundPorts['transfers'] = async (network, asset, transaction) =>
      transfersOf(chainOf(chains, network).client, { address: asset }, transaction);
    this.ports = { store, transfers, execute: (command) => bus.execute(command) };
  }

  /**
   * 201 when recorded, 200 with the same body for a transaction that was recorded before: the transaction itself is the
   * key that makes repeats harmless, so an `Idempotency-Key` is not required.
   */
  @Post()
  @Idempotent('optional')
  async record(
    @Param('id') id: string,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RefundView> {
    const { log_index: logIndex, transaction } = parseBody(refundBody, body);
    if (!PAYMENT_ID.test(id)) throw new Problem('not_found');
    const recorded = await recordRefund(this.ports, id as PaymentId, { transaction, logIndex });
    void reply.status(recorded.repeated ? 200 : 201);
    return refundView(id, recorded);
  }
}

function refundView(payment: string, { refund, terms }: Recorded): RefundView {
  const { amount, blockHash, blockNumber, logIndex, transaction } = refund;
  const { asset, network } = terms;
  const place = { log_index: logIndex, block_number: blockNumber, block_hash: blockHash };
  return { payment, network, asset, amount, transaction, ...place };
}
