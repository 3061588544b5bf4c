import { type AdminCall, admin } from './admin.js';
import type { App } from './app.js';
import type { Call, Reply } from './http.js';

export const FLAT = { charges: [{ model: 'flat', amount: '1000' }] };

/** A provider's program that publishes by REST, on a Tollbook with one upstream. */
export class Shop {
  private names = 0;

  constructor(
    private readonly app: App,
    private readonly upstream: string,
  ) {}

  /** An id that no other test uses. */
  fresh(): string {
    this.names += 1;
    return `shop${this.names}`;
  }

  put(path: string, body: unknown, headers: AdminCall['headers'] = {}, at: App = this.app): Promise<Reply> {
    return admin(at, path, { method: 'PUT', body, headers });
  }

  async json<T = Record<string, unknown>>(path: string): Promise<T> {
    return bodyOf(200, await admin(this.app, path)) as T;
  }

  /** Registers a tenant with the tariff `flat`; the answer to its registration. */
  async open(id: string, change: object = {}): Promise<Record<string, unknown>> {
    const registered = await this.put(`/tenants/${id}`, this.tenant(`${id}.example`, change));
    bodyOf(201, await this.put(`/tariffs/${id}/flat`, { rules: FLAT }));
    return bodyOf(201, registered);
  }

  /** Its body. */
  tenant(host: string, change: object = {}): object {
    return {
      host,
      upstream: this.upstream,
      allowPrivateUpstream: true,
      payee: '0x7011B00C000000000000000000000000000000bb',
      network: 'eip155:84532',
      asset: '0x036CbD53842c5426634e7929541eC2318f3dCF7e',
      ...change,
    };
  }

  /** A request for something that it sells. */
  call(tenant: string, path: string): Call {
    return { url: `${this.app.gateway}${path}`, headers: { host: `${tenant}.example` } };
  }

  /** Ids of every row of a list, one row a page. */
  async idsOf(path: string): Promise<string[]> {
    const ids: string[] = [];
    let cursor = '';
    do {
      const page = await this.json<{ data: { id: string }[]; next_cursor?: string }>(`${path}&limit=1${cursor}`);
      ids.push(...page.data.map(({ id }) => id));
      cursor = page.next_cursor === undefined ? '' : `&cursor=${page.next_cursor}`;
    } while (cursor !== '');
    return ids;
  }
}

/** Body of a route that the tariff `flat` sells. */
export function routeOf(path: string, change: object = {}): object {
  return { methods: ['GET'], pattern: path, tariff: 'flat', ...change };
}

function bodyOf(status: number, reply: Reply): Record<string, unknown> {
  if (reply.status !== status) throw new Error(`${reply.status}, not ${status}: ${reply.body}`);
  return JSON.parse(reply.body) as Record<string, unknown>;
}
