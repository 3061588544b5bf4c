import type { PoolClient } from 'pg';
import type { StoredEvent } from '../../../base/event-store/event.js';
import type { Projection } from '../../../base/event-store/projection-runner.js';
import { readStream } from '../../../base/event-store/rows.js';
import { type CardCharge, evolveCharge, foldCharge, hasOpenDispute, hasOpenRefund } from './card-charge.evolve.js';
import { type CardChargeEvent, chargeOfStream } from './card-charge.js';

/** One row per charge and one per dispute, as their streams say. */
export const cardChargesProjection: Projection = {
  name: 'card-charges',
  version: 1,
  lagMs: 100,
  tables: ['card_charges', 'card_disputes'],
  types: [
    ...['CardChargeRequested', 'CardChargeSubmitted', 'CardChargeSucceeded', 'CardFeeTaken', 'CardChargeDeclined'],
    ...['CardActionRequired', 'CardRefundRequested', 'CardRefundSucceeded', 'CardRefundFailed'],
    ...['DisputeOpened', 'DisputeEvidenceSubmitted', 'DisputeWon', 'DisputeLost'],
  ],
  begin: () => async (client, events) => {
    const changed = new Map<string, Folded>();
    for (const stored of events) changed.set(stored.stream, await fold(client, changed.get(stored.stream), stored));
    await storeCharges(client, [...changed.values()]);
    await storeDisputes(client, [...changed.values()]);
  },
};

interface Folded {
  readonly id: string;
  readonly tenant: string;
  readonly position: bigint;
  readonly requestedAt: Date;
  readonly updatedAt: Date;
  readonly charge: CardCharge;
}

/** What is not known from this batch is folded from the stream. */
async function fold(client: PoolClient, before: Folded | undefined, stored: StoredEvent): Promise<Folded> {
  const known = before ?? (stored.version === 1 ? undefined : await foldEarlier(client, stored));
  const { occurredAt, position, stream, tenant } = stored;
  const first = known ?? { position, requestedAt: occurredAt };
  return {
    ...{ id: chargeOfStream(stream), tenant, position: first.position, requestedAt: first.requestedAt },
    ...{ updatedAt: occurredAt, charge: evolveCharge(known?.charge, asEvent(stored)) },
  };
}

async function foldEarlier(client: PoolClient, { stream, version }: StoredEvent): Promise<Folded> {
  const events = (await readStream(client, stream)).filter((event) => event.version < version);
  const charge = foldCharge(events)!;
  const [{ occurredAt, position, tenant }] = events as [StoredEvent];
  return { id: chargeOfStream(stream), tenant, position, requestedAt: occurredAt, updatedAt: occurredAt, charge };
}

function asEvent({ data, type }: StoredEvent): CardChargeEvent {
  return { type, schema: 1, data } as unknown as CardChargeEvent;
}

const CHARGES = {
  ...{ id: 'text', tenant: 'text', customer: 'text', invoice: 'text', attempt: 'int', notice: 'int' },
  ...{ method: 'text', amount: 'numeric', currency: 'text', state: 'text', code: 'text', final: 'boolean' },
  ...{ processor_id: 'text', fee: 'numeric', refunded: 'numeric', refunding: 'boolean', disputed: 'boolean' },
  ...{ position: 'bigint', requested_at: 'timestamptz', updated_at: 'timestamptz' },
} as const;

async function storeCharges(client: PoolClient, all: readonly Folded[]): Promise<void> {
  await store(client, 'card_charges', CHARGES, ['id'], all.map(chargeRow));
}

function chargeRow({ charge, id, position, requestedAt, tenant, updatedAt }: Folded): Record<string, unknown> {
  const { asked, declined, fee, processorId, status } = charge;
  const { amount, attempt, currency, customer, invoice, method, notice } = asked;
  const refunded = [...charge.refunds.values()]
    .filter((refund) => refund.status === 'succeeded')
    .reduce((sum, refund) => sum + BigInt(refund.asked.amount), 0n);
  return {
    ...{ id, tenant, customer, invoice, attempt, notice, method, amount, currency, state: status },
    ...{ code: declined?.code ?? null, final: declined?.final ?? null, processor_id: processorId ?? null },
    ...{ fee: fee?.toString() ?? null, refunded: refunded.toString(), refunding: hasOpenRefund(charge) },
    ...{ disputed: hasOpenDispute(charge), position: position.toString() },
    ...{ requested_at: requestedAt, updated_at: updatedAt },
  };
}

const DISPUTES = {
  ...{ charge: 'text', dispute: 'text', tenant: 'text', customer: 'text', invoice: 'text', amount: 'numeric' },
  ...{ fee: 'numeric', currency: 'text', reason: 'text', state: 'text', evidence_due: 'text', evidence: 'text' },
} as const;

async function storeDisputes(client: PoolClient, all: readonly Folded[]): Promise<void> {
  const rows = all.flatMap(({ charge: { asked, disputes }, id: charge, tenant }) =>
    [...disputes.values()].map(({ evidence, opened, status }) => ({
      ...{ charge, dispute: opened.dispute, tenant, customer: asked.customer, invoice: asked.invoice },
      ...{ amount: opened.amount, fee: opened.fee, currency: asked.currency, reason: opened.reason, state: status },
      ...{ evidence_due: opened.evidenceDue ?? null, evidence: evidence ?? null },
    })),
  );
  await store(client, 'card_disputes', DISPUTES, ['charge', 'dispute'], rows);
}

async function store(
  client: PoolClient,
  table: string,
  columns: Readonly<Record<string, string>>,
  key: readonly string[],
  rows: readonly Readonly<Record<string, unknown>>[],
): Promise<void> {
  if (rows.length === 0) return;
  const names = Object.keys(columns);
  const arrays = names.map((name, index) => `$${index + 1}::${columns[name]}[]`);
  const changes = names.filter((name) => !key.includes(name)).map((name) => `${name} = excluded.${name}`);
  await client.query({
    name: `${table}-store`,
    text: `insert into ${table} (${names.join(', ')}) select * from unnest(${arrays.join(', ')})
           on conflict (${key.join(', ')}) do update set ${changes.join(', ')}`,
    values: names.map((name) => rows.map((row) => row[name])),
  });
}
