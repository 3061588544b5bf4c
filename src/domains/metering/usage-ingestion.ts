import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import type { EventWriter } from '../../base/event-store/unit-of-work.js';
import { WriteRefused } from '../../base/event-store/unit-of-work.js';
import type { Clock } from '../../base/shared/clock.js';
import type { ExactJson } from '../../base/shared/exact-json.js';
import { offsetOf } from '../customers/tenant-clock.queries.js';
import { metersOf } from './meters.queries.js';
import { readBatch, rejection, type UsageBatch, type UsageResult } from './usage-batch.js';
import { UsageWrite } from './usage-write.js';

/** Which of these customers a tenant does not have. */
export type UnknownCustomers = (tenant: string, customers: ReadonlySet<string>) => Promise<ReadonlySet<string>>;

/** For tenants whose customers have no accounts. */
export const anyCustomer: UnknownCustomers = async () => new Set();

/** Takes usage events: durable, each once, when it resolves. */
export class UsageIngestion {
  /** @param store one of its own, so that payments do not wait for the batches of usage */
  constructor(
    private readonly pool: Pool,
    private readonly store: EventWriter,
    private readonly clock: Clock,
    private readonly unknownCustomers: UnknownCustomers = anyCustomer,
  ) {}

  /**
   * What became of each event, in order. @param atomic all or nothing: if one is rejected, none is stored, and those that
   * would have been accepted have no result
   */
  async ingest(
    tenant: string,
    sent: readonly ExactJson[],
    { atomic }: { readonly atomic: boolean },
  ): Promise<readonly (UsageResult | undefined)[]> {
    const [meters, offset] = await Promise.all([metersOf(this.pool, tenant), offsetOf(this.pool, tenant)]);
    const now = this.clock();
    const batch = await this.withKnownCustomers(tenant, readBatch(sent, meters, now + offset));
    if (batch.candidates.length === 0) return batch.results;
    if (atomic && batch.results.some((one) => one?.result === 'rejected')) return batch.results;
    const write = new UsageWrite(tenant, batch, { id: batchId(now), receivedAt: new Date(now), atomic });
    try {
      await this.store.append(write);
      return write.results;
    } catch (error) {
      if (!(error instanceof WriteRefused)) throw error;
      return write.results.map((one) => (one?.result === 'accepted' ? undefined : one));
    }
  }

  private async withKnownCustomers(tenant: string, { candidates, results }: UsageBatch): Promise<UsageBatch> {
    const unknown = await this.unknownCustomers(tenant, new Set(candidates.map(({ event }) => event.customer)));
    if (unknown.size === 0) return { candidates, results };
    const refusal = rejection('usage_customer_unknown', {
      path: ['subject'],
      detail: 'is no customer with an account',
    });
    return {
      results,
      candidates: candidates.map((one) => (unknown.has(one.event.customer) ? { ...one, refusal } : one)),
    };
  }
}

/** UUID version 7: in order of time, so that rows of a batch are near each other. @param now epoch milliseconds */
function batchId(now: number): string {
  const bytes = Buffer.concat([Buffer.alloc(6), randomBytes(10)]);
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
