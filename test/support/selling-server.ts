import { randomUUID } from 'node:crypto';
import type { LocalAccount } from 'viem';
import { admin } from './admin.js';
import type { App } from './app.js';
import { type Reply, send } from './http.js';
import { type Accept, type Authorization, ask, type Offer, sign, signV1 } from './payment.js';

/** A server of the tenant `demo` that has a key for the facilitator of a Tollbook. */
export class SellingServer {
  private constructor(
    private readonly app: App,
    readonly key: string,
    /** What it asks: its own terms, without a quote of ours. */
    readonly accept: Accept,
  ) {}

  static async of(app: App): Promise<SellingServer> {
    const { accepts } = await ask({ url: `${app.gateway}/demo/weather` });
    const { name, version } = accepts[0].extra;
    const accept = { ...accepts[0], amount: '1500', extra: { name, version } as Accept['extra'] };
    return new SellingServer(app, (await issueKey(app)).key, accept);
  }

  offer(change: Partial<Accept> = {}): Offer {
    return {
      resource: { url: 'https://elsewhere.example/thing?who=me' },
      accepts: [{ ...this.accept, ...change }],
    };
  }

  async bodyV2(buyer: LocalAccount, changes: Partial<Authorization> = {}, required: Partial<Accept> = {}) {
    const paymentPayload = await sign(buyer, this.offer(required), changes);
    return { x402Version: 2, paymentPayload, paymentRequirements: { ...this.accept, ...required } };
  }

  async bodyV1(buyer: LocalAccount) {
    const { amount, network: _, ...rest } = this.accept;
    const paymentRequirements = {
      ...{ ...rest, maxAmountRequired: amount, network: 'base-sepolia', resource: 'https://elsewhere.example/thing' },
      ...{ description: 'A thing', mimeType: 'application/json', outputSchema: null },
    };
    return { x402Version: 1, paymentPayload: await signV1(buyer, this.offer()), paymentRequirements };
  }

  /** Without a `body` it gets; with an empty `bearer` it shows no key. */
  call(path: string, body?: unknown, { at = this.app, bearer = this.key } = {}): Promise<Reply> {
    return send({
      url: `${at.gateway}/facilitator/${path}`,
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...(bearer === '' ? {} : { authorization: `Bearer ${bearer}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  }

  /** What it is told about a payment. */
  async told(path: string, body?: unknown, at = this.app): Promise<Record<string, unknown>> {
    const { body: text, status } = await this.call(path, body, { at });
    if (status !== 200) throw new Error(`${status}: ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  }
}

export async function issueKey(app: App, tenant = 'demo'): Promise<{ readonly id: string; readonly key: string }> {
  const headers = { 'idempotency-key': randomUUID() };
  const reply = await admin(app, `/tenants/${tenant}/facilitator-keys`, { method: 'POST', headers });
  if (reply.status !== 201) throw new Error(`${reply.status}: ${reply.body}`);
  return JSON.parse(reply.body);
}

/** What a server of a tenant is told that it can have settled. */
export async function supportedFor(app: App, tenant: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${(await issueKey(app, tenant)).key}` };
  return JSON.parse((await send({ url: `${app.gateway}/facilitator/supported`, headers })).body);
}
