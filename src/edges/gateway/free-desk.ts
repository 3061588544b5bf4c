import type { ServerResponse } from 'node:http';
import type { CommandBus } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import { HoldsRefused } from '../../base/event-store/unit-of-work.js';
import type { Logger } from '../../base/platform/logger.js';
import { WakeLoop } from '../../base/platform/wake-loop.js';
import type { Clock } from '../../base/shared/clock.js';
import type { Address } from '../../base/shared/hex.js';
import { Problem } from '../../base/shared/problem.js';
import { type Allowance, allowanceKey, type Period, periodOf } from '../../domains/customers/allowance.js';
import type { AllowanceBook } from '../../domains/customers/allowance-book.js';
import type { Screening } from '../../domains/customers/screening.port.js';
import { FailFreeRequest, GrantFreeRequest, RecordFreeDelivery } from '../../domains/payments/free-request.decide.js';
import {
  type FreeRequestFailed,
  type FreeRequestGranted,
  type FreeRequestId,
  freeRequestIdOf,
} from '../../domains/payments/free-request.js';
import { sweepOrphans } from '../../domains/payments/free-request.sweep.js';
import { type FailedDelivery, failures, isReleased } from './delivery.js';
import type { UpstreamLanes } from './lanes/upstream-lanes.js';
import type { PaidCall } from './paid-call.js';
import { rateLimitFields, type ServiceLimit } from './rate-limit-fields.js';
import { answerHead } from './reply.js';
import { mustBeClear } from './screen-payer.js';
import { deliver, deliveryLimits, holdAnswer } from './upstream/answer-body.js';
import { replySink } from './upstream/reply-sink.js';
import type { UpstreamAnswer } from './upstream/upstream.js';
import type { UpstreamClient } from './upstream/upstream-client.js';
import { upstreamRequest } from './upstream-request.js';

/** By which a customer names a request, so that a retry of it is not run a second time. */
const REQUEST_NAME = /^[\x21-\x7e]{1,128}$/;
const POLICY = 'free';
/** Longest answer that is not passed on as it comes, in bytes. */
const HELD_BYTES_MAX = 1024 * 1024;
const SWEEP_MS = 5_000;

export interface FreeDeskParts {
  readonly allowances: Pick<AllowanceBook, 'of'>;
  readonly screening: Screening;
  readonly lanes: UpstreamLanes;
  readonly bus: CommandBus;
  readonly pool: Pool;
  readonly upstreams: UpstreamClient;
  /** Id of this gateway's lease. */
  readonly gateway: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What the tariff in force makes of a request. */
export type Metered = Pick<FreeRequestGranted['data'], 'tariff'> & { readonly units: bigint };

/** What is left to say in a 402: how far the allowance is used. Empty if there is none. */
export type FreeOutcome = 'served' | { readonly fields: Readonly<Record<string, string>> };

const NO_ALLOWANCE: FreeOutcome = { fields: {} };

/** Runs the requests of proven customers without payment while their allowance lasts. */
export class FreeDesk {
  private readonly running = new Set<FreeRequestId>();
  private readonly aborted = new AbortController();
  private readonly loop: WakeLoop;

  constructor(private readonly parts: FreeDeskParts) {
    const { bus, gateway, log, pool } = parts;
    const sweep = () => sweepOrphans(pool, bus, gateway, (id) => this.running.has(id));
    this.loop = new WakeLoop('orphaned free requests', sweep, SWEEP_MS, log);
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** Ends what is still running when the gateway must stop. */
  abort(): void {
    this.aborted.abort();
  }

  /** @throws Problem if the payer is not served, the request was named before, or its delivery fails */
  async serve(call: PaidCall, payer: Address, meter: () => Metered, reply: ServerResponse): Promise<FreeOutcome> {
    const now = this.parts.clock();
    const allowance = this.parts.allowances.of(call.tenant.id, payer);
    if (!allowance) return NO_ALLOWANCE;
    await mustBeClear(this.parts.screening, payer);
    const id = freeRequestIdOf(call.tenant.id, payer, nameOf(call));
    const period = periodOf(allowance, now);
    const granted = this.termsOf(call, payer, meter(), allowance, period);
    const leave = await this.parts.lanes.enter(call.route, call.urgency, Number.POSITIVE_INFINITY, reply);
    if (!leave) return 'served';
    this.running.add(id);
    try {
      const limit = { limit: BigInt(allowance.limit), expiresAt: period.end };
      const command = new GrantFreeRequest(id, granted, limit);
      const used = await this.parts.bus.execute<GrantFreeRequest, bigint>(command);
      await this.run(call, id, payer, fieldsOf(allowance, period, used, now), reply);
      return 'served';
    } catch (error) {
      if (!(error instanceof HoldsRefused)) throw error;
      return { fields: fieldsOf(allowance, period, error.refused[0]!.held, now) };
    } finally {
      leave();
      this.running.delete(id);
    }
  }

  private termsOf(
    { digest, method, route, tenant, token }: PaidCall,
    payer: Address,
    { tariff, units }: Metered,
    allowance: Allowance,
    period: Period,
  ): FreeRequestGranted['data'] {
    const amount = allowance.counts === 'units' ? units : 1n;
    const key = allowanceKey(tenant.id, payer, allowance, period);
    return {
      ...{ tenant: tenant.id, route: route.id, method, requestDigest: digest, payer },
      ...{ network: token.network, asset: token.address, tariff, units: units.toString() },
      gateway: this.parts.gateway,
      hold: { key, amount: amount.toString() },
    };
  }

  /** The answer goes out as it comes, its end once the delivery is durable. */
  private async run(
    call: PaidCall,
    id: FreeRequestId,
    payer: Address,
    fields: Readonly<Record<string, string>>,
    reply: ServerResponse,
  ): Promise<void> {
    const { bus, clock, upstreams } = this.parts;
    const started = clock();
    const request = upstreamRequest(call, { payment: id, payer, amount: '0' }, this.aborted.signal, started);
    const answer = await upstreams.forward(request);
    if (answer.kind === 'failed') throw await this.fail(id, answer, started);
    const head = answerHead(answer.headers, fields);
    if (isReleased(call, answer)) return this.release(id, answer, head, started, reply);
    if (answer.kind === 'streamed' && !reply.destroyed) {
      reply.writeHead(answer.status, head);
      reply.flushHeaders();
    }
    const delivered = await deliver(answer, replySink(reply), deliveryLimits);
    if (delivered.kind === 'failed') throw await this.fail(id, delivered, started);
    const { bytes, digest: responseDigest } = delivered.record;
    const record = { status: answer.status, responseDigest, bytes, latencyMs: clock() - started };
    await bus.execute(new RecordFreeDelivery(id, record));
    if (reply.destroyed) return;
    if (answer.kind === 'whole') reply.writeHead(answer.status, head);
    reply.end(delivered.rest);
  }

  /** A provider's error, or an answer the route gives away: passed on, and the allowance given back. */
  private async release(
    id: FreeRequestId,
    answer: UpstreamAnswer,
    head: string[],
    started: number,
    reply: ServerResponse,
  ): Promise<void> {
    const held = await holdAnswer(answer, HELD_BYTES_MAX);
    if (held.kind === 'failed') throw await this.fail(id, held, started);
    const { bus, clock } = this.parts;
    const failed: FreeRequestFailed['data'] = {
      reason: answer.status >= 500 ? 'upstream_error' : 'not_charged',
      status: answer.status,
      latencyMs: clock() - started,
    };
    await bus.execute(new FailFreeRequest(id, failed));
    if (reply.destroyed) return;
    reply.writeHead(answer.status, head);
    reply.end(held.body);
  }

  /** Records a delivery that failed; returns the error for the client. */
  private async fail(id: FreeRequestId, failure: FailedDelivery, started: number): Promise<Problem> {
    const { bus, clock, log } = this.parts;
    const { code, reason } = failures[failure.failed];
    if ('cause' in failure) log.warn({ request: id, reason, err: failure.cause?.message }, 'delivery failed');
    await bus.execute(new FailFreeRequest(id, { reason, latencyMs: clock() - started }));
    return new Problem(code);
  }
}

/** @throws Problem `invalid_request` */
function nameOf({ message }: PaidCall): string | undefined {
  const name = message.headers['tollbook-request'];
  if (name === undefined) return undefined;
  if (typeof name === 'string' && REQUEST_NAME.test(name)) return name;
  throw new Problem('invalid_request', 'Tollbook-Request: 1 to 128 printable ASCII characters without blanks');
}

function fieldsOf({ counts, limit }: Allowance, period: Period, used: bigint, now: number): Record<string, string> {
  const quota = BigInt(limit);
  const service: ServiceLimit = {
    policy: POLICY,
    quota,
    remaining: used < quota ? quota - used : 0n,
    windowSeconds: (period.end - period.start) / 1000,
    resetSeconds: (period.end - now) / 1000,
    ...(counts === 'units' ? { unit: 'units' } : {}),
  };
  // Paying is possible at once, so nobody is told to come back later.
  const { 'retry-after': _, ...fields } = rateLimitFields([service]);
  return fields;
}
