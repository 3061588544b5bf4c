import type { LocalAccount } from 'viem';
import { PublishRoute, PublishTariff, RegisterTenant } from '../../src/domains/pricing/catalogue.decide.js';
import { admin } from './admin.js';
import { type App, startApp } from './app.js';
import { eventually } from './eventually.js';
import type { Call, Reply } from './http.js';
import { buy, newBuyer } from './payment.js';
import { flat, publish, routeWith, tenantWith } from './publishing.js';
import { startSibling } from './sibling.js';
import { type CountingUpstream, countingUpstream } from './upstream.js';

const HOST = '127.0.0.1';
/** Midnight is hours away. */
const timeZone = new Date().getUTCHours() < 12 ? 'UTC' : 'Etc/GMT+12';

/** Of every request, in atomic units. */
export const PRICE = 1000n;
export const DAY = { kind: 'calendar', unit: 'day', timeZone };
export const HOUR = { kind: 'rolling', seconds: 3600 };

interface Usage {
  readonly payer?: string;
  readonly used: string;
  readonly remaining: string;
}

/** Two gateways in front of the tenant `limited`, whose upstream tells how Tollbook stands with it; `/fails` fails. */
export class Limited {
  private constructor(
    readonly app: App,
    readonly other: App,
    readonly upstream: CountingUpstream,
    /** Known to both gateways. */
    readonly buyers: readonly LocalAccount[],
  ) {}

  static async open(buyers: number): Promise<Limited> {
    const upstream = await countingUpstream((request, reply) => {
      reply.statusCode = request.url === '/fails' ? 500 : 200;
      reply.setHeader('ratelimit', '"theirs";r=7;t=9');
      reply.setHeader('ratelimit-policy', '"theirs";q=10');
      reply.end('{"ok":true}');
    });
    const app = await startApp();
    const other = await startSibling(app, 'gateway');
    await publish(app.engines.postgres, [
      new RegisterTenant(tenantWith({ id: 'limited', host: HOST, upstream: upstream.url })),
      new PublishTariff('limited', 'flat', flat(PRICE.toString())),
      ...['goes', 'fails'].map((id) => new PublishRoute(routeWith({ tenant: 'limited', id }))),
    ]);
    const accounts = await Promise.all(Array.from({ length: buyers }, () => newBuyer(app, 1_000_000_000n)));
    const limited = new Limited(app, other, upstream, accounts);
    for (const buyer of accounts)
      for (const one of [app, other]) await eventually(() => limited.buys(buyer, one), 20_000);
    return limited;
  }

  async stop(): Promise<void> {
    await this.other.stop();
    await this.app.stop();
    await this.upstream.stop();
  }

  call({ gateway }: App, route = 'goes'): Call {
    return { url: `http://${HOST}:${new URL(gateway).port}/${route}` };
  }

  async buys(buyer: LocalAccount, where: App): Promise<true> {
    const { body, status } = await buy(buyer, this.call(where));
    if (status !== 200) throw new Error(`${status} ${body}`);
    return true;
  }

  /** Publishes a limit that was not there. */
  async put(id: string, rules: object): Promise<void> {
    const { body, status } = await admin(this.app, `/limits/limited/${id}`, { method: 'PUT', body: rules });
    if (status !== 201) throw new Error(`${status} ${body}`);
  }

  withdraw(id: string): Promise<Reply> {
    return admin(this.app, `/limits/limited/${id}`, { method: 'DELETE' });
  }

  /** Both gateways show the limit in their answers. Resolves with what these purchases took of it. */
  async reachesBoth(id: string, buyer: LocalAccount): Promise<number> {
    let taken = 0;
    for (const where of [this.app, this.other]) {
      await eventually(async () => {
        const { headers, status } = await buy(buyer, this.call(where));
        const shown = status === 200 && String(headers['ratelimit-policy']).includes(`"${id}"`);
        if (shown) taken++;
        return shown;
      });
    }
    return taken;
  }

  async usage(id: string): Promise<readonly Usage[]> {
    const { body } = await admin(this.app, `/limits/limited/${id}/usage`);
    return (JSON.parse(body) as { data: Usage[] }).data;
  }
}
