import type { PoolClient } from 'pg';
import type { StoredEvent } from '../../base/event-store/event.js';
import type { Projection } from '../../base/event-store/projection-runner.js';
import { TenantTimes } from '../customers/tenant-clock.js';
import { type Commitment, type CommitmentAccepted, type CommitmentEvent, commitmentOfStream } from './commitment.js';

/** The part of a row that the end of a commitment changes. */
interface End {
  readonly state: Commitment['status'];
  readonly charged?: string;
  readonly units?: string;
  readonly reason?: string;
  readonly httpStatus?: number;
  readonly at: Date;
  /** Of what was delivered: by the tenant's clock, and its place in the log. */
  readonly billedAt?: Date;
  readonly position?: bigint;
}

const lifeTypes = ['CommitmentAccepted', 'CommitmentDelivered', 'CommitmentReleased', 'CommitmentInterrupted'];

/** One row per commitment: for lists and invoices, and for the sweeper that looks for dead gateways. */
export const commitmentsProjection: Projection = {
  name: 'commitments',
  version: 2,
  lagMs: 250,
  tables: ['commitments'],
  types: [...lifeTypes, 'TenantClockAdvanced'],
  begin: () => {
    const times = new TenantTimes();
    return async (client, all) => {
      const at = await times.of(client, all);
      await apply(
        client,
        all.filter(({ type }) => type !== 'TenantClockAdvanced'),
        (event) => at.get(event)!,
      );
    };
  },
};

async function apply(client: PoolClient, events: readonly StoredEvent[], billedAt: (event: StoredEvent) => Date) {
  const ends = new Map(
    events.filter(({ type }) => type !== 'CommitmentAccepted').map((one) => [one.stream, endOf(one, billedAt(one))]),
  );
  // What began in this batch is inserted as it stands at its end, which saves most updates.
  const begun = events.filter(({ type }) => type === 'CommitmentAccepted');
  if (begun.length > 0) await insert(client, begun, ends);
  for (const { stream } of begun) ends.delete(stream);
  if (ends.size > 0) await update(client, ends);
}

/** Pure: how a commitment ended. @param billedAt the time of the event by the tenant's clock */
export function endOf(stored: StoredEvent, billedAt = stored.occurredAt): End {
  const event = { type: stored.type, data: stored.data } as unknown as Exclude<CommitmentEvent, CommitmentAccepted>;
  const at = stored.occurredAt;
  switch (event.type) {
    case 'CommitmentDelivered': {
      const { charged, status, units } = event.data;
      return { state: 'delivered', charged, units, httpStatus: status, at, billedAt, position: stored.position };
    }
    case 'CommitmentReleased':
      return { state: 'released', reason: event.data.reason, httpStatus: event.data.status, at };
    case 'CommitmentInterrupted':
      return { state: 'interrupted', reason: 'interrupted', at };
  }
}

/** Columns that the end changes, in the order of `endTypes`. */
const endColumns = (ends: readonly (End | undefined)[]): unknown[] => [
  ends.map((end) => end?.state ?? 'running'),
  ends.map((end) => end?.charged ?? null),
  ends.map((end) => end?.units ?? null),
  ends.map((end) => end?.reason ?? null),
  ends.map((end) => end?.httpStatus ?? null),
  ends.map((end) => end?.at ?? null),
  ends.map((end) => end?.billedAt ?? null),
  ends.map((end) => end?.position?.toString() ?? null),
];
const endNames = 'state, charged, units, reason, http_status, ended_at, billed_at, ended_position';
const endTypes =
  '$1::text[], $2::numeric[], $3::numeric[], $4::text[], $5::int[], $6::timestamptz[], $7::timestamptz[], $8::bigint[]';

async function insert(client: PoolClient, events: readonly StoredEvent[], ends: ReadonlyMap<string, End>) {
  const data = events.map((event) => event.data as unknown as CommitmentAccepted['data']);
  await client.query({
    name: 'commitments-insert',
    text: `insert into commitments (${endNames}, id, tenant, customer, route, method, currency, network, asset, amount, tariff,
             tariff_version, gateway, position, accepted_at)
           select * from unnest(${endTypes}, $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
             $16::text[], $17::numeric[], $18::text[], $19::int[], $20::text[], $21::bigint[], $22::timestamptz[])`,
    values: [
      ...endColumns(events.map(({ stream }) => ends.get(stream))),
      events.map(({ stream }) => commitmentOfStream(stream)),
      data.map((one) => one.tenant),
      data.map((one) => one.customer),
      data.map((one) => one.route),
      data.map((one) => one.method),
      data.map((one) => one.currency),
      data.map((one) => one.network),
      data.map((one) => one.asset),
      data.map((one) => one.amount),
      data.map((one) => one.tariff.id),
      data.map((one) => one.tariff.version),
      data.map((one) => one.gateway),
      events.map(({ position }) => position.toString()),
      events.map(({ occurredAt }) => occurredAt),
    ],
  });
}

async function update(client: PoolClient, ends: ReadonlyMap<string, End>): Promise<void> {
  await client.query({
    name: 'commitments-update',
    text: `update commitments c set state = u.state, charged = u.charged, units = u.units, reason = u.reason,
             http_status = u.http_status, ended_at = u.ended_at, billed_at = u.billed_at, ended_position = u.ended_position
           from unnest(${endTypes}, $9::text[]) as u (${endNames}, id) where c.id = u.id`,
    values: [...endColumns([...ends.values()]), [...ends.keys()].map(commitmentOfStream)],
  });
}
