import { randomUUID } from 'node:crypto';
import { admin } from './admin.js';
import type { App } from './app.js';
import { type Reply, send } from './http.js';

/** A server of the tenant `demo` that sends usage events. */
export class UsageSender {
  private constructor(readonly key: string) {}

  /** With a meter `used` that adds up `/n`, and `calls` that counts. */
  static async of(app: App): Promise<UsageSender> {
    const headers = { 'idempotency-key': randomUUID() };
    const issued = await admin(app, '/tenants/demo/ingestion-keys', { method: 'POST', headers });
    const counted = { eventType: 'used', unit: 'thing' };
    for (const [id, body] of [
      ['used', { aggregation: 'sum', value: '/n', ...counted }],
      ['calls', { aggregation: 'count', ...counted }],
    ] as const) {
      const { body: text, status } = await admin(app, `/meters/demo/${id}`, { method: 'PUT', body });
      if (status !== 201) throw new Error(`${status}: ${text}`);
    }
    return new UsageSender((JSON.parse(issued.body) as { key: string }).key);
  }

  post(control: string, events: readonly object[]): Promise<Reply> {
    return send({
      url: `${control}/v1/events`,
      method: 'POST',
      headers: { authorization: `Bearer ${this.key}`, 'content-type': 'application/cloudevents-batch+json' },
      body: JSON.stringify(events),
    });
  }

  /** What became of each event; `undefined` if nobody knows. */
  async results(control: string, events: readonly object[]): Promise<readonly string[] | undefined> {
    try {
      const { body, status } = await this.post(control, events);
      if (status !== 200 && status !== 207) return undefined;
      return (JSON.parse(body).results as { result: string }[]).map(({ result }) => result);
    } catch {
      return undefined;
    }
  }
}

export function usageEvent(id: string): object {
  const time = '2026-11-25T04:00:00Z';
  return { specversion: '1.0', id, source: '/test', type: 'used', subject: 'cus_1', time, data: { n: '0.1' } };
}
