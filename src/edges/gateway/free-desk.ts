import type { ServerResponse } from 'node:http';
import type { CommandBus } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import { type GrantedHold, type HoldRequest, HoldsRefused } from '../../base/event-store/unit-of-work.js';
import type { Logger } from '../../base/platform/logger.js';
import { WakeLoop } from '../../base/platform/wake-loop.js';
import type { Clock } from '../../base/shared/clock.js';
import type { Address } from '../../base/shared/hex.js';
import { Problem, type ProblemCode } from '../../base/shared/problem.js';
import { type Allowance, allowanceKey, type Period, periodOf } from '../../domains/customers/allowance.js';
import type { AllowanceBook } from '../../domains/customers/allowance-book.js';
import type { Screening } from '../../domains/customers/screening.port.js';
import { FailFreeRequest, GrantFreeRequest, RecordFreeDelivery } from '../../domains/payments/free-request.decide.js';
import { type FreeRequestGranted, type FreeRequestId, freeRequestIdOf } from '../../domains/payments/free-request.js';
import { sweepOrphans } from '../../domains/payments/free-request.sweep.js';
import type { Delivered, DeliveryDesk, Failed, LetIn } from './delivery.js';
import type { UpstreamLanes } from './lanes/upstream-lanes.js';
import type { LimitDesk } from './limit-desk.js';
import type { PaidCall } from './paid-call.js';
import { type ServiceLimit, standingFields } from './rate-limit-fields.js';
import type { RateLimits } from './rate-limits.js';
import { sendLimited } from './reply.js';
import { mustBeClear } from './screen-payer.js';

/** By which a customer names a request, so that a retry of it is not run a second time. */
const REQUEST_NAME = /^[\x21-\x7e]{1,128}$/;
const POLICY = 'free';
const SWEEP_MS = 5_000;

export interface FreeDeskParts {
  readonly allowances: Pick<AllowanceBook, 'of'>;
  readonly screening: Screening;
  readonly rates: RateLimits;
  readonly lanes: UpstreamLanes;
  readonly limits: LimitDesk;
  readonly deliveries: DeliveryDesk;
  readonly bus: CommandBus;
  readonly pool: Pool;
  /** Id of this gateway's lease. */
  readonly gateway: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What the tariff in force makes of a request. */
export type Metered = Pick<FreeRequestGranted['data'], 'tariff' | 'urgency' | 'class' | 'inputs'> & {
  readonly units: bigint;
  readonly meter?: string;
};

/** Or what is left to say in a 402: how far the allowance is used. Empty if there is none. */
export type FreeOutcome = 'answered' | { readonly standing: readonly ServiceLimit[] };

const NO_ALLOWANCE: FreeOutcome = { standing: [] };

/** Runs the requests of proven customers without payment while their allowance lasts. */
export class FreeDesk {
  private readonly running = new Set<FreeRequestId>();
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

  /** @throws Problem if the payer is not served, a quota is used up, the request was named before, or its delivery fails */
  async serve(call: PaidCall, payer: Address, meter: () => Metered, reply: ServerResponse): Promise<FreeOutcome> {
    const { allowances, lanes, rates, screening } = this.parts;
    const { route, tenant, urgency } = call;
    const allowance = allowances.of(tenant.id, payer);
    if (!allowance) return NO_ALLOWANCE;
    const id = freeRequestIdOf(tenant.id, payer, nameOf(call));
    const over = await rates.over(route, payer);
    if (over) {
      sendLimited(reply, over);
      return 'answered';
    }
    await mustBeClear(screening, payer);
    const metered = meter();
    const leave = await lanes.enter(route, urgency, Number.POSITIVE_INFINITY, reply);
    if (!leave) return 'answered';
    this.running.add(id);
    try {
      return await this.run(call, id, payer, allowance, metered, reply);
    } finally {
      leave();
      this.running.delete(id);
    }
  }

  private async run(
    call: PaidCall,
    id: FreeRequestId,
    payer: Address,
    allowance: Allowance,
    metered: Metered,
    reply: ServerResponse,
  ): Promise<FreeOutcome> {
    const { bus, clock, deliveries, limits } = this.parts;
    const now = clock();
    const period = periodOf(allowance, now);
    const hold = allowanceHold(call, payer, allowance, period, metered.units);
    const holds = [hold, ...this.quotasOf(call, payer, metered, now)];
    const standing = (used: bigint) => serviceLimit(allowance, period, used, now);
    try {
      const command = new GrantFreeRequest(id, this.termsOf(call, payer, metered), holds);
      const granted = await bus.execute<GrantFreeRequest, readonly GrantedHold[]>(command);
      const fields = standingFields([standing(granted[0]!.held), ...limits.standing(granted)]);
      await deliveries.deliverNow(call, new FreeDelivery(bus, id, payer, fields), reply);
      return 'answered';
    } catch (error) {
      if (!(error instanceof HoldsRefused)) throw error;
      const quotas = error.refused.filter(({ request }) => request.key !== hold.key);
      // A payment would not get past them either.
      if (quotas.length > 0) throw limits.problemOf({ refused: quotas });
      return { standing: [standing(error.refused[0]!.held)] };
    }
  }

  /** Those that a payment would need, too; spending limits have nothing to count. */
  private quotasOf(
    { route, tenant }: PaidCall,
    payer: Address,
    { meter, units }: Metered,
    now: number,
  ): readonly HoldRequest[] {
    const counted = { tenant, route: route.id, payer, units, meter, amount: 0n };
    const quotas = this.parts.limits.quotasOf(counted, now);
    return quotas.filter(({ delta }) => delta > 0n);
  }

  private termsOf(
    { digest, method, route, tenant, token }: PaidCall,
    payer: Address,
    { class: served, inputs, tariff, units, urgency }: Metered,
  ): GrantFreeRequest['granted'] {
    return {
      ...{ tenant: tenant.id, route: route.id, method, requestDigest: digest, payer },
      ...{ network: token.network, asset: token.address, tariff, urgency, inputs, units: units.toString() },
      ...(served === undefined ? {} : { class: served }),
      gateway: this.parts.gateway,
    };
  }
}

/** A request within an allowance: nothing is kept of its answer, and nobody is paid. */
class FreeDelivery implements LetIn {
  readonly stamp: LetIn['stamp'];

  constructor(
    private readonly bus: CommandBus,
    private readonly id: FreeRequestId,
    payer: Address,
    private readonly standing: Readonly<Record<string, string>>,
  ) {
    this.stamp = { payment: id, payer, amount: '0' };
  }

  fields(): Readonly<Record<string, string>> {
    return this.standing;
  }

  delivered(record: Delivered): Promise<unknown> {
    return this.bus.execute(new RecordFreeDelivery(this.id, record));
  }

  failed(record: Failed): Promise<unknown> {
    return this.bus.execute(new FailFreeRequest(this.id, record));
  }

  problem(code: ProblemCode): Problem {
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

function allowanceHold(
  { tenant }: PaidCall,
  payer: Address,
  allowance: Allowance,
  period: Period,
  units: bigint,
): HoldRequest {
  const key = allowanceKey(tenant.id, payer, allowance, period);
  const delta = allowance.counts === 'units' ? units : 1n;
  return { key, delta, limit: BigInt(allowance.limit), expiresAt: period.end, hard: true };
}

function serviceLimit({ counts, limit }: Allowance, period: Period, used: bigint, now: number): ServiceLimit {
  const quota = BigInt(limit);
  return {
    policy: POLICY,
    quota,
    remaining: used < quota ? quota - used : 0n,
    windowSeconds: (period.end - period.start) / 1000,
    resetSeconds: (period.end - now) / 1000,
    ...(counts === 'units' ? { unit: 'units' } : {}),
  };
}
