import type { Pool } from 'pg';
import type { StoredEvent } from '../../../base/event-store/event.js';
import { EventStore } from '../../../base/event-store/event-store.js';
import { type EventRow, eventColumns, toStoredEvent } from '../../../base/event-store/rows.js';
import { systemClock } from '../../../base/shared/clock.js';
import { canonicalJson, type Json } from '../../../base/shared/json.js';
import type { CustomerId } from '../../customers/account.js';
import { billingAccounts } from '../../invoicing/billing-account.js';
import type { InvoiceFinalized } from '../../invoicing/invoice.js';
import { invoiceIdOf } from '../../invoicing/invoice.js';
import { partiesOfInvoice } from '../../invoicing/parties.queries.js';
import { billablePosition, contentsOf } from '../../invoicing/used.queries.js';
import type { Check, CheckContext, Progress } from './check.js';
import { Findings } from './findings.js';

const PAGE = 500;

/** What follows from the log; the rest of an invoice says when it was made, and for whom. */
const CONTENT = ['lines', 'subtotal', 'taxes', 'total', 'residue'] as const;

/**
 * Every final invoice says what follows from the log up to its cut: reckoned again from commitments, usage events, prices and taxes, and
 * compared byte by byte. Cuts of an account follow each other, and what is kept of the parties is what the event has the digests of.
 */
export const invoicesCheck: Check = {
  name: 'invoices',
  run: async ({ listed, pool, upcast }: CheckContext, onProgress: Progress) => {
    const findings = new Findings(listed);
    const store = new EventStore(pool, systemClock, upcast);
    const billable = await billablePosition(pool);
    const { rows } = await pool.query<{ total: number }>(
      "select count(*)::int as total from events where type = 'InvoiceFinalized'",
    );
    const total = rows[0]!.total;
    let [invoices, lines] = [0, 0];
    for await (const events of pagesOf(pool)) {
      for (const group of groupsOf(events)) await judge(pool, store, group, billable, findings);
      invoices += events.length;
      lines += events.reduce((sum, event) => sum + finalOf(event).lines.length, 0);
      onProgress(Math.min(invoices, total), total);
    }
    return findings.result({ invoices, lines });
  },
};

async function* pagesOf(pool: Pool): AsyncGenerator<StoredEvent[]> {
  for (let after = 0n; ; ) {
    const { rows } = await pool.query<EventRow>(
      `select ${eventColumns} from events where type = 'InvoiceFinalized' and position > $1 order by events.position limit $2`,
      [after.toString(), PAGE],
    );
    if (rows.length === 0) return;
    const events = rows.map(toStoredEvent);
    yield events;
    after = events.at(-1)!.position;
  }
}

/** Those that one reckoning serves: of one tenant, with one position of the cut, one of each account. */
function groupsOf(events: readonly StoredEvent[]): StoredEvent[][] {
  const groups = new Map<string, StoredEvent[]>();
  for (const event of events) {
    const key = `${event.tenant} ${finalOf(event).cut.position}`;
    const group = groups.get(key);
    if (group) group.push(event);
    else groups.set(key, [event]);
  }
  return [...groups.values()].flatMap((group) => {
    const rounds: StoredEvent[][] = [];
    const taken = new Map<string, number>();
    for (const event of group) {
      const customer = customerOf(event);
      const round = taken.get(customer) ?? 0;
      taken.set(customer, round + 1);
      const list = rounds[round];
      if (list) list.push(event);
      else rounds.push([event]);
    }
    return rounds;
  });
}

async function judge(
  pool: Pool,
  store: EventStore,
  group: readonly StoredEvent[],
  billable: bigint,
  findings: Findings,
) {
  const [{ tenant }] = group as [StoredEvent];
  const position = BigInt(finalOf(group[0]!).cut.position);
  if (position > billable) {
    findings.gap(`invoices cut at position ${position} cannot be reckoned: the projections are at ${billable}`);
    return;
  }
  const accounts = await billingAccounts(store, tenant, group.map(customerOf));
  const known = group.flatMap((event) => {
    const account = accounts.get(customerOf(event));
    if (!account) findings.differ('account of an invoice', event.stream, 'opened', 'none');
    return account ? [{ event, account }] : [];
  });
  const cuts = known.map(({ account, event }) => {
    const { after, cut } = finalOf(event);
    return { account, after, to: cut.to };
  });
  const contents = await contentsOf(pool, tenant, cuts, position);
  const parties = await partiesIn(
    pool,
    known.map(({ event }) => invoiceIdOf(event.stream)),
  );
  for (const { account, event } of known) {
    const final = finalOf(event);
    const said = canonicalJson(Object.fromEntries(CONTENT.map((name) => [name, final[name]])) as unknown as Json);
    const follows = canonicalJson(contents.get(account.customer) as unknown as Json);
    if (said !== follows) findings.differ('content of an invoice', event.stream, follows, said);
    const id = invoiceIdOf(event.stream);
    const kept = parties.get(id);
    const digests = kept && partiesOfInvoice(id, kept);
    if (digests?.sellerDigest !== final.sellerDigest || digests.buyerDigest !== final.buyerDigest) {
      findings.differ('parties of an invoice', event.stream, 'as issued', kept ? 'other ones' : 'none');
    }
  }
}

async function partiesIn(pool: Pool, ids: readonly string[]) {
  const { rows } = await pool.query('select * from invoice_parties where invoice = any($1::text[])', [ids]);
  return new Map(rows.map(({ buyer, invoice, seller }) => [invoice as string, { seller, buyer }]));
}

function finalOf({ data }: StoredEvent): InvoiceFinalized['data'] {
  return data as unknown as InvoiceFinalized['data'];
}

function customerOf({ stream }: StoredEvent): CustomerId {
  return stream.split('/')[2] as CustomerId;
}
