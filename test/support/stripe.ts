import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Asked } from '../stripe-server/account.js';
import type { Orders } from '../stripe-server/control.js';
import type { FailureKind } from '../stripe-server/failures.js';
import type {
  BalanceTransaction,
  Charge,
  Customer,
  Dispute,
  FileSent,
  PaymentIntent,
  PaymentMethod,
  Refund,
  SetupIntent,
  WebhookEvent,
} from '../stripe-server/objects.js';
import type { Delivery } from '../stripe-server/webhooks.js';
import { processScript } from './process-script.js';

export interface StripeBook {
  readonly charges: readonly Charge[];
  readonly customers: readonly Customer[];
  readonly disputes: readonly Dispute[];
  readonly files: readonly FileSent[];
  readonly intents: readonly PaymentIntent[];
  readonly methods: readonly PaymentMethod[];
  readonly movements: readonly BalanceTransaction[];
  readonly refunds: readonly Refund[];
  readonly setups: readonly SetupIntent[];
  readonly asked: readonly Asked[];
  readonly events: readonly WebhookEvent[];
  readonly deliveries: readonly Delivery[];
}

type Body<N extends keyof Orders> = Parameters<Orders[N]>[1];

/** A processor of cards in a process of its own, with as many accounts as a spec wants. */
export class Stripe {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(): Promise<Stripe> {
    const script = processScript('test/stripe-server/process');
    const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
    const [url] = (await once(createInterface(child.stdout), 'line')) as [string];
    return new Stripe(url, child);
  }

  async account(): Promise<StripeAccount> {
    const random = () => randomBytes(12).toString('hex');
    const account = new StripeAccount(this.url, `sk_test_${random()}`, `whsec_${random()}`);
    await account.send('open_account', { webhookSecret: account.webhookSecret });
    return account;
  }

  async stop(): Promise<void> {
    this.child.kill();
    await once(this.child, 'exit');
  }
}

/** What a seller has there, and what a spec may order (test/stripe-server/control.ts). */
export class StripeAccount {
  constructor(
    readonly url: string,
    readonly secretKey: string,
    readonly webhookSecret: string,
  ) {}

  order<N extends keyof Orders>(name: N, body?: Body<N>): Promise<Awaited<ReturnType<Orders[N]>>> {
    return this.send(name, body) as Promise<Awaited<ReturnType<Orders[N]>>>;
  }

  /** The next request that begins like this, `POST /v1/payment_intents`, goes wrong so. */
  async fail(on: string, ...kinds: FailureKind[]): Promise<void> {
    await this.order('failures', { failures: kinds.map((kind) => ({ on, kind })) });
  }

  async book(): Promise<StripeBook> {
    return (await this.order('book')) as unknown as StripeBook;
  }

  /** Of charges that took money, all of them, or those of one charge of ours. */
  async taken(charge?: string): Promise<readonly Charge[]> {
    const { charges } = await this.book();
    return charges.filter(
      ({ metadata, status }) => status === 'succeeded' && (charge === undefined || metadata.tollbook_charge === charge),
    );
  }

  async send(name: string, body: object = {}): Promise<unknown> {
    const headers = { authorization: `Bearer ${this.secretKey}` };
    const response = await fetch(`${this.url}/_control/${name}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${name}: ${response.status} ${await response.text()}`);
    return response.json();
  }
}
