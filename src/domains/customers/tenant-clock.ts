import type { PoolClient } from 'pg';
import type { StoredEvent } from '../../base/event-store/event.js';
import { ofStreams } from '../../base/event-store/stream-key.js';

/** A tenant's clock may be ahead of the real one, for trials of what takes months. It never goes back. */
export interface TenantClockAdvanced {
  readonly type: 'TenantClockAdvanced';
  readonly schema: 1;
  readonly data: {
    readonly tenant: string;
    /** How far it is ahead now, in all, milliseconds. */
    readonly offsetMs: number;
  };
}

export function clockStream(tenant: string): string {
  return `clock/${tenant}`;
}

/** Milliseconds that the clock is ahead. */
export function evolveClock(offset: number, { data }: TenantClockAdvanced): number {
  if (data.offsetMs < offset) throw new Error('a clock went back');
  return data.offsetMs;
}

/** For projections: the tenant's time of events, by the offset in force at their place in the log. One for each run. */
export class TenantTimes {
  private readonly offsets = new Map<string, number>();

  /** The time of each event that is no change of a clock, in order; changes of clocks must be among the events. */
  async of(client: PoolClient, events: readonly StoredEvent[]): Promise<Map<StoredEvent, Date>> {
    await this.learn(client, events);
    const times = new Map<StoredEvent, Date>();
    for (const event of events) {
      if (event.type === 'TenantClockAdvanced') this.offsets.set(event.tenant, event.data.offsetMs as number);
      else times.set(event, new Date(event.occurredAt.getTime() + this.offsets.get(event.tenant)!));
    }
    return times;
  }

  private async learn(client: PoolClient, events: readonly StoredEvent[]): Promise<void> {
    const unknown = [...new Set(events.map(({ tenant }) => tenant))].filter((tenant) => !this.offsets.has(tenant));
    if (unknown.length === 0) return;
    const { rows } = await client.query<{ tenant: string; offset: string }>({
      name: 'tenant-offsets',
      text: `select tenant, max((data->>'offsetMs')::bigint)::text as offset from events
             where ${ofStreams} and position < $2 group by tenant`,
      values: [unknown.map(clockStream), events[0]!.position.toString()],
    });
    for (const tenant of unknown) this.offsets.set(tenant, 0);
    for (const { offset, tenant } of rows) this.offsets.set(tenant, Number(offset));
  }
}
