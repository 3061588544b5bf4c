import { Controller, Get, Inject, Query, UseGuards } from '@nestjs/common';
import type { Pool } from 'pg';
import { z } from 'zod';
import { POOL } from '../../base/platform/tokens.js';
import { Problem } from '../../base/shared/problem.js';
import { type AccountView, accountView, listAccounts } from '../../domains/ledger/accounts.queries.js';
import type { AsOf } from '../../domains/ledger/as-of.queries.js';
import { accountKinds } from '../../domains/ledger/chart.js';
import { codes, phases } from '../../domains/ledger/transfer.js';
import { listTransfers, type TransferView, transferView } from '../../domains/ledger/transfers.queries.js';
import {
  listTrialBalances,
  type TrialBalanceView,
  trialBalanceView,
} from '../../domains/ledger/trial-balance.queries.js';
import type { PaymentId } from '../../domains/payments/payment.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { instant, parseQuery, text } from './input.js';
import { decodeNumber, type Page, pageOf, pageQuery } from './paging.js';

const name = text(200);

const ledgerQuery = pageQuery.extend({
  tenant: name.optional(),
  /** CAIP-19 ids are stored in lower case, currencies are in upper case. */
  asset: name.transform((asset) => (asset.includes(':') ? asset.toLowerCase() : asset)).optional(),
  /** The state right after this instant, RFC 3339. */
  as_of: instant.optional(),
  /** The state right after the event at this position. */
  as_of_position: z
    .string()
    .regex(/^\d{1,18}$/, 'must be a position in the log')
    .transform(BigInt)
    .optional(),
});

const accountQuery = ledgerQuery.extend({
  kind: z.enum(accountKinds).optional(),
  /** An empty one asks for the accounts that are nobody's in particular. */
  party: name.toLowerCase().optional(),
  account: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, 'must be the id of an account')
    .transform(Number)
    .optional(),
});

const transferQuery = accountQuery.extend({
  payment: z.custom<PaymentId>((id) => /^pay_[0-9a-f]{32}$/.test(String(id)), 'must be the id of a payment').optional(),
  code: z.enum(codes).optional(),
  phase: z.enum(phases).optional(),
  from: instant.optional(),
  to: instant.optional(),
});

/** A page, and up to where it counts: the instant that was asked for, else the last event. */
type LedgerPage<T> = Page<T> & ({ readonly as_of: string } | { readonly as_of_position: string });

/** The double-entry ledger: accounts with balances, transfers, and both sides of every book; now, or at a point in the past. */
@Controller('admin/v1/ledger')
@UseGuards(AdminKeyGuard)
export class LedgerController {
  constructor(@Inject(POOL) private readonly pool: Pool) {}

  /** In the order in which they were opened. */
  @Get('accounts')
  async accounts(@Query() query: unknown): Promise<LedgerPage<AccountView>> {
    const { as_of, as_of_position, cursor, limit, ...filter } = parseQuery(accountQuery, query);
    const asOf = asOfOf(as_of, as_of_position);
    const { position, rows } = await listAccounts(this.pool, filter, asOf, numberOf(cursor), limit);
    return { ...pageOf(rows, limit, ({ id }) => [String(id)], accountView), ...countedTo(asOf, position) };
  }

  /** Newest first. */
  @Get('transfers')
  async transfers(@Query() query: unknown): Promise<LedgerPage<TransferView>> {
    const { as_of, as_of_position, cursor, limit, ...filter } = parseQuery(transferQuery, query);
    const before = cursor === undefined ? undefined : decodeNumber(cursor);
    const asOf = asOfOf(as_of, as_of_position);
    const { position, rows } = await listTransfers(this.pool, filter, asOf, before, limit);
    return { ...pageOf(rows, limit, ({ id }) => [id], transferView), ...countedTo(asOf, position) };
  }

  /** Book by book, in the order in which they were opened. */
  @Get('trial-balance')
  async trialBalance(@Query() query: unknown): Promise<LedgerPage<TrialBalanceView>> {
    const { as_of, as_of_position, cursor, limit, ...filter } = parseQuery(ledgerQuery, query);
    const asOf = asOfOf(as_of, as_of_position);
    const { position, rows } = await listTrialBalances(this.pool, filter, asOf, numberOf(cursor), limit);
    return { ...pageOf(rows, limit, ({ book }) => [String(book)], trialBalanceView), ...countedTo(asOf, position) };
  }
}

function asOfOf(instant: Date | undefined, position: bigint | undefined): AsOf {
  if (instant && position !== undefined) {
    throw new Problem('invalid_request', 'as_of and as_of_position are two points; name one');
  }
  if (instant) return { instant };
  return position === undefined ? undefined : { position };
}

/** Clocks of several processes differ, so what happened by an instant need not end at one position. */
function countedTo(asOf: AsOf, position: bigint) {
  if (asOf && 'instant' in asOf) return { as_of: asOf.instant.toISOString() };
  return { as_of_position: position.toString() };
}

/** Number of the last account or book of the page before; 0 comes before all. */
function numberOf(cursor: string | undefined): number {
  return cursor === undefined ? 0 : Number(decodeNumber(cursor, 9));
}
