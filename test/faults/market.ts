import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { USDC_ADDRESS } from '../../src/base/embedded/usdc.js';
import { EventStore } from '../../src/base/event-store/event-store.js';
import type { Decision } from '../../src/base/event-store/unit-of-work.js';
import { systemClock } from '../../src/base/shared/clock.js';
import type { Address } from '../../src/base/shared/hex.js';
import {
  decidePublishRoute,
  decidePublishTariff,
  decideRegisterTenant,
  PublishRoute,
  PublishTariff,
  RegisterTenant,
} from '../../src/domains/pricing/catalogue.decide.js';
import { routeSchema, tenantSchema } from '../../src/domains/pricing/catalogue.schemas.js';
import { routeStream, tariffStream, tenantStream, unpublished } from '../../src/domains/pricing/publication.js';

export const TENANT = 'faults';
/** Atomic units. */
export const PRICE = 1000n;

/** An API whose answers the test holds back and lets go, and which counts its runs per payment. */
export interface Provider {
  readonly url: string;
  /** Requests that wait at `/gate` or in the middle of `/stream` right now. */
  waiting(): number;
  /** Answers all that wait, now and from now on, or makes them wait again. */
  setGate(open: boolean): void;
  /** How often the request of this payment was run. */
  runsOf(payment: string): number;
  stop(): Promise<void>;
}

export async function startProvider(): Promise<Provider> {
  const runs = new Map<string, number>();
  let gated: ServerResponse[] = [];
  let open = false;
  const answer = (reply: ServerResponse) => reply.end('{"ok":true}');
  const server = createServer((message, reply) => {
    const payment = String(message.headers['tollbook-payment']);
    runs.set(payment, (runs.get(payment) ?? 0) + 1);
    reply.setHeader('content-type', 'application/json');
    if (message.url === '/stream') reply.write('{"begun":true}');
    if (message.url === '/quick' || open) return answer(reply);
    gated.push(reply);
    // What the gateway's death or patience ended does not wait any more.
    reply.once('close', () => {
      gated = gated.filter((one) => one !== reply);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    waiting: () => gated.length,
    setGate(next) {
      open = next;
      if (open) for (const reply of gated) answer(reply);
    },
    runsOf: (payment) => runs.get(payment) ?? 0,
    async stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Publishes a tenant for the host 127.0.0.1, with routes `/quick`, `/held` (mode `after`), `/gate`, `/stream` and `/again` (idempotent). */
export async function publishMarket(databaseUrl: string, upstream: string, payee: Address): Promise<void> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  const store = new EventStore(pool, systemClock);
  const write = (stream: string, decision: Decision) =>
    store.append({ stream, tenant: TENANT, expectedVersion: 0, decide: () => decision });
  const place = { upstream, upstreamSecret: 's'.repeat(32), allowPrivateUpstream: true, payee };
  const tenant = tenantSchema.parse({
    ...{ id: TENANT, host: '127.0.0.1', network: 'eip155:84532', asset: USDC_ADDRESS },
    ...place,
  });
  const rules = { charges: [{ model: 'flat' as const, amount: PRICE.toString() }] };
  const now = Date.now();
  try {
    await write(tariffStream(TENANT, 'flat'), decidePublishTariff(unpublished, tariff(rules, now), now));
    for (const route of routes()) {
      await write(routeStream(TENANT, route.id), decidePublishRoute(unpublished, new PublishRoute(route)));
    }
    await write(tenantStream(TENANT), decideRegisterTenant(unpublished, new RegisterTenant(tenant)));
  } finally {
    await pool.end();
  }
}

function tariff(rules: PublishTariff['rules'], now: number): PublishTariff {
  return new PublishTariff(TENANT, 'flat', rules, now);
}

function routes() {
  const quick = { upstreamPath: '/quick', mode: 'async', idempotent: false };
  return [
    route('quick', quick),
    route('held', { ...quick, upstreamPath: '/gate', mode: 'after' }),
    route('gate', { ...quick, upstreamPath: '/gate' }),
    route('stream', { ...quick, upstreamPath: '/stream' }),
    route('again', { ...quick, upstreamPath: '/gate', idempotent: true }),
  ];
}

function route(id: string, rest: object) {
  return routeSchema.parse({
    ...{ id, tenant: TENANT, tariff: 'flat', methods: ['GET'], pattern: `/${id}`, description: id },
    ...{ mimeType: 'application/json', chargeClientErrors: false, maxTimeoutSeconds: 300, timeoutMs: 30_000 },
    ...{ maxBodyBytes: 0, ...rest },
  });
}
