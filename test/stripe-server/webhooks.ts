import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebhookEvent } from './objects.js';

const TIMEOUT_MS = 10_000;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2_000;
/** The real one goes on for three days. */
const ATTEMPTS_MAX = 60;

/** One attempt to tell of an event; no status if nobody answered. */
export interface Delivery {
  readonly event: string;
  readonly type: string;
  readonly attempt: number;
  readonly status?: number;
}

/** Tells an address of events, again until it says 2xx, in no order that anybody could rely on. */
export class Webhooks {
  url: string | undefined;
  readonly deliveries: Delivery[] = [];
  private held: WebhookEvent[] | undefined;

  constructor(readonly secret: string) {}

  send(event: WebhookEvent): void {
    if (this.held) this.held.push(event);
    else void this.deliver(event);
  }

  hold(): void {
    this.held ??= [];
  }

  /** What was held goes out, one after the other, in this order and this often. */
  async release(order: 'as_sent' | 'reversed', copies: number): Promise<void> {
    const events = this.held ?? [];
    this.held = undefined;
    if (order === 'reversed') events.reverse();
    for (const event of events.flatMap((event) => Array<WebhookEvent>(copies).fill(event))) await this.deliver(event);
  }

  /** Header and body, as a delivery has them now. */
  signed(event: WebhookEvent): { readonly body: string; readonly signature: string } {
    const body = JSON.stringify(event, null, 2);
    const time = Math.floor(Date.now() / 1000);
    const mac = createHmac('sha256', this.secret).update(`${time}.${body}`).digest('hex');
    return { body, signature: `t=${time},v1=${mac},v0=${'0'.repeat(64)}` };
  }

  private async deliver(event: WebhookEvent): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS_MAX && this.url !== undefined; attempt++) {
      const status = await this.attempt(this.url, event);
      this.deliveries.push({ event: event.id, type: event.type, attempt, status });
      if (status !== undefined && status >= 200 && status < 300) return;
      await sleep(Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), LAST_RETRY_MS), undefined, { ref: false });
    }
  }

  private async attempt(url: string, event: WebhookEvent): Promise<number | undefined> {
    const { body, signature } = this.signed(event);
    const headers = { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': signature };
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    try {
      const response = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' });
      await response.arrayBuffer();
      return response.status;
    } catch {
      return undefined;
    }
  }
}
