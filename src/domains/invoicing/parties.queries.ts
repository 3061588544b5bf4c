import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import type { Attachment } from '../../base/event-store/unit-of-work.js';
import { canonicalJson, type Json } from '../../base/shared/json.js';
import type { InvoiceId } from './invoice.js';
import type { Party } from './invoice-document.js';

export interface Parties {
  readonly seller: Party;
  readonly buyer: Party;
}

/** Of a tenant and its customers as they are now. Who is not described is named by its id. */
export async function partiesNow(
  pool: Pick<Pool, 'query'>,
  tenant: string,
  customers: readonly string[],
): Promise<(customer: string) => Parties> {
  const { rows } = await pool.query<{ customer: string | null; party: Party }>(
    `select null as customer, party from seller_parties where tenant = $1
     union all select customer, party from account_parties where tenant = $1 and customer = any($2::text[])`,
    [tenant, customers],
  );
  const known = new Map(rows.map(({ customer, party }) => [customer, party]));
  const partyOf = (customer: string | null, name: string): Party =>
    known.get(customer) ?? { name, lines: [], country: 'ZZ' };
  return (customer) => ({ seller: partyOf(null, tenant), buyer: partyOf(customer, customer) });
}

/** As an invoice names them: the row beside its event, and the digests in it. */
export function partiesOfInvoice(invoice: InvoiceId, { buyer, seller }: Parties) {
  const attachment: Attachment = { table: 'invoice_parties', row: { invoice, seller, buyer } };
  return { attachment, sellerDigest: digestOf(seller), buyerDigest: digestOf(buyer) };
}

export async function partiesOf(pool: Pick<Pool, 'query'>, invoice: string): Promise<Parties | undefined> {
  const { rows } = await pool.query<Parties>('select seller, buyer from invoice_parties where invoice = $1', [invoice]);
  return rows[0];
}

function digestOf(party: Party): string {
  return createHash('sha256')
    .update(canonicalJson(party as unknown as Json))
    .digest('base64url');
}

/** Counts for invoices that are made final later. @param customer of an account; without one of the seller */
export async function setParty(pool: Pick<Pool, 'query'>, tenant: string, party: Party, customer?: string) {
  if (customer === undefined) {
    await pool.query(
      `insert into seller_parties (tenant, party) values ($1, $2) on conflict (tenant) do update set party = excluded.party`,
      [tenant, JSON.stringify(party)],
    );
    return;
  }
  await pool.query(
    `insert into account_parties (tenant, customer, party) values ($1, $2, $3)
     on conflict (tenant, customer) do update set party = excluded.party`,
    [tenant, customer, JSON.stringify(party)],
  );
}
