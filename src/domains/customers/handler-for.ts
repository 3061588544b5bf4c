import { Inject, Injectable, type Type } from '@nestjs/common';
import { CommandHandler } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import { appendDecided } from '../../base/event-store/append-decided.js';
import { EventStore } from '../../base/event-store/event-store.js';
import { assertExpected, type Expected } from '../../base/event-store/expected.js';
import type { Decision } from '../../base/event-store/unit-of-work.js';
import { CLOCK, POOL } from '../../base/platform/tokens.js';
import type { Clock } from '../../base/shared/clock.js';
import type { Address } from '../../base/shared/hex.js';
import type { Beside } from './customer.decide.js';
import {
  type Customer,
  type CustomerDetails,
  type CustomerEvent,
  customerFields,
  customerStream,
  evolveCustomer,
  unknownCustomer,
} from './customer.js';
import type { KeptContent } from './customers.ports.js';

export const KEPT_CONTENT = Symbol('KeptContent');

interface CustomerCommand {
  readonly tenant: string;
  readonly payer: Address;
  readonly expected?: Expected;
}

/** Loads the customer and what stands beside it, lets the pure rule decide, appends at the version it decided on. */
export function handlerFor<C extends CustomerCommand>(
  command: Type<C>,
  decide: (state: Customer, command: C, beside: Beside, now: number) => Decision,
): Type<{ execute(message: C): Promise<void> }> {
  @CommandHandler(command)
  @Injectable()
  class Handler {
    constructor(
      @Inject(EventStore) private readonly store: EventStore,
      @Inject(POOL) private readonly pool: Pool,
      @Inject(CLOCK) private readonly clock: Clock,
      @Inject(KEPT_CONTENT) private readonly kept: KeptContent,
    ) {}

    /** The stream is read before what stands beside it: then a change in between is a conflict, unless it made no difference. */
    execute(message: C): Promise<void> {
      const { payer, tenant } = message;
      return appendDecided(this.store, { stream: customerStream(tenant, payer), tenant }, async (stored) => {
        const events = stored as unknown as readonly CustomerEvent[];
        const state = events.reduce<Customer>(evolveCustomer, unknownCustomer);
        const [details, kept] = await Promise.all([readDetails(this.pool, tenant, payer), this.kept(tenant, payer)]);
        const version = stored.length;
        const decision = decide(state, message, { version, details, kept }, this.clock());
        assertExpected(message.expected, { version, exists: state.status === 'described' }, decision);
        return decision;
      });
    }
  }
  Object.defineProperty(Handler, 'name', { value: `${command.name}Handler` });
  return Handler;
}

async function readDetails(pool: Pool, tenant: string, payer: Address): Promise<CustomerDetails> {
  const { rows } = await pool.query<Record<string, string | null>>(
    `select ${customerFields.join(', ')} from customer_details where tenant = $1 and payer = $2`,
    [tenant, payer],
  );
  return Object.fromEntries(Object.entries(rows[0] ?? {}).map(([field, value]) => [field, value ?? undefined]));
}
