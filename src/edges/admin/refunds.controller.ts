import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req, Res, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { asked } from '../../base/chain/chain-client.js';
import { type Chains, chainOf } from '../../base/chain/chains.js';
import { transfersOf } from '../../base/chain/transfer-logs.js';
import { unsignedTransfer } from '../../base/chain/unsigned-transfer.js';
import { EventStore } from '../../base/event-store/event-store.js';
import { CHAINS, CLOCK } from '../../base/platform/tokens.js';
import type { Clock } from '../../base/shared/clock.js';
import type { Hex } from '../../base/shared/hex.js';
import { Problem } from '../../base/shared/problem.js';
import { loadPayment, type PaymentAfter } from '../../domains/payments/handler-for.js';
import type { PaymentId } from '../../domains/payments/payment.js';
import { requestOf } from '../../domains/payments/payment.refund.js';
import { CancelRefund } from '../../domains/payments/refund.decide.js';
import { type RefundId, type RequestedRefund, refundReasons, refundSources } from '../../domains/payments/refund.js';
import { type RequestPorts, requestRefund } from '../../domains/payments/refund-requests.js';
import { type Known, type RefundPorts, recordRefund } from '../../domains/payments/refunds.js';
import { RefundWallets } from '../../domains/settlement/refunds/refund-wallets.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { Idempotent } from './idempotency.js';
import { idempotencyKeyOf } from './idempotency-key.js';
import { parseBody } from './input.js';
import {
  type RefundView,
  refundViews,
  requestedView,
  type ToBeSigned,
  toBeSigned,
  transferView,
} from './refund.view.js';

const PAYMENT_ID = /^pay_[0-9a-f]{32}$/;
const LOG_INDEX_MAX = 1_000_000;

const recordBody = z.strictObject({
  transaction: z
    .string()
    .regex(/^0x[0-9a-fA-F]{64}$/, 'a transaction hash of 32 bytes in hex')
    .transform((text) => text.toLowerCase() as Hex),
  log_index: z.int().min(0).max(LOG_INDEX_MAX).optional(),
});

const requestBody = z.strictObject({
  amount: z
    .string()
    .regex(/^[1-9][0-9]{0,77}$/, 'atomic units above zero, as a decimal string')
    .transform(BigInt)
    .optional(),
  reason: z.enum(refundReasons).optional(),
  from: z.enum(refundSources),
});

type FullView = RefundView & Partial<ToBeSigned>;

/** Refunds of one payment: asked for and sent from the refund wallet or by the payee's owner, or sent unasked and recorded. */
@Controller('admin/v1/payments/:id/refunds')
@UseGuards(AdminKeyGuard)
export class RefundsController {
  private readonly recording: RefundPorts;
  private readonly requesting: RequestPorts;

  constructor(
    @Inject(EventStore) private readonly store: EventStore,
    @Inject(CommandBus) private readonly bus: CommandBus,
    @Inject(CHAINS) private readonly chains: Chains,
    @Inject(CLOCK) clock: Clock,
    @Inject(RefundWallets) wallets: RefundWallets,
  ) {
    const transfers: RefundPorts['transfers'] = async (network, asset, transaction) =>
      transfersOf(chainOf(chains, network).client, { address: asset }, transaction);
    const head: RequestPorts['head'] = async (network) => {
      const { client } = chainOf(chains, network);
      const { number, timestamp: time } = await asked('latest block', client.getBlock({ blockTag: 'latest' }));
      return { number, time };
    };
    const execute = (command: object) => bus.execute<object, PaymentAfter>(command);
    this.recording = { store, transfers, execute };
    this.requesting = { store, head, clock, wallet: wallets.current, execute };
  }

  @Get()
  async list(@Param('id') id: string): Promise<{ readonly data: readonly RefundView[] }> {
    return { data: refundViews(id, await this.load(id)) };
  }

  /** With what the owner of the payee's wallet needs, as long as it is to be sent. */
  @Get(':refund')
  async one(@Param('id') id: string, @Param('refund') refund: string): Promise<FullView> {
    const state = await this.load(id);
    const request = requestOf(state, refund as RefundId);
    if (request) return this.fullView(id, state, request);
    const unasked = refundViews(id, state).find((view) => view.id === refund);
    if (!unasked) throw new Problem('not_found');
    return unasked;
  }

  /**
   * Asks for a refund, or records a transfer that was made unasked (`transaction`). That one is 201 when recorded, and 200
   * with the same body if it was recorded before: the transaction itself makes repeats harmless, so it needs no `Idempotency-Key`.
   */
  @Post()
  @Idempotent('optional')
  async create(
    @Param('id') id: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<FullView> {
    if (typeof body !== 'object' || body === null || 'transaction' in body) return this.record(id, body, reply);
    const wanted = parseBody(requestBody, body);
    const key = idempotencyKeyOf(request);
    if (key === undefined) throw new Problem('idempotency_key_required');
    const { request: requested, state } = await requestRefund(this.requesting, paymentId(id), { key, ...wanted });
    return this.fullView(id, state, requested);
  }

  /** Repeatable. Only while it cannot have been sent by what is here. */
  @Post(':refund/cancel')
  @HttpCode(200)
  @Idempotent('optional')
  async cancel(@Param('id') id: string, @Param('refund') refund: string): Promise<RefundView> {
    const command = new CancelRefund(paymentId(id), refund as RefundId);
    const { state } = await this.bus.execute<CancelRefund, PaymentAfter>(command);
    return requestedView(id, state as Known, requestOf(state, command.refund)!);
  }

  private async record(id: string, body: unknown, reply: FastifyReply): Promise<RefundView> {
    const { log_index: logIndex, transaction } = parseBody(recordBody, body);
    const { refund, repeated } = await recordRefund(this.recording, paymentId(id), { transaction, logIndex });
    void reply.status(repeated ? 200 : 201);
    return transferView(id, await this.load(id), refund);
  }

  private async load(id: string): Promise<Known> {
    const { state } = await loadPayment(this.store, paymentId(id));
    if (state.status === 'unknown') throw new Problem('not_found');
    return state;
  }

  private async fullView(id: string, state: Known, request: RequestedRefund): Promise<FullView> {
    const view = requestedView(id, state, request);
    if (request.from !== 'payee' || request.state !== 'requested') return view;
    const { asset: address, network, payer } = state.authorized.terms;
    const transfer = { token: { address, network }, from: request.sender, to: payer, value: BigInt(request.amount) };
    const unsigned = await unsignedTransfer(chainOf(this.chains, network).client, transfer);
    return { ...view, ...toBeSigned(state, request, unsigned) };
  }
}

function paymentId(id: string): PaymentId {
  if (!PAYMENT_ID.test(id)) throw new Problem('not_found');
  return id as PaymentId;
}
