import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Address } from '../../src/base/shared/hex.js';
import { PublishRoute, PublishTariff, RegisterTenant } from '../../src/domains/pricing/catalogue.decide.js';
import { flat, publish, routeWith, tenantWith } from '../support/publishing.js';

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

/** Publishes a tenant for the host 127.0.0.1, with routes `/quick`, `/held` (mode `after`), `/gate`, `/stream`, `/again` (idempotent), `/first` and `/first-again` (mode `before`). */
export function publishMarket(databaseUrl: string, upstream: string, payee: Address): Promise<void> {
  const quick = { tenant: TENANT, upstreamPath: '/quick', timeoutMs: 30_000, maxBodyBytes: 0 };
  const gated = { ...quick, upstreamPath: '/gate' };
  const routes = [
    routeWith({ ...quick, id: 'quick' }),
    routeWith({ ...gated, id: 'held', mode: 'after' }),
    routeWith({ ...gated, id: 'gate' }),
    routeWith({ ...quick, id: 'stream', upstreamPath: '/stream' }),
    routeWith({ ...gated, id: 'again', idempotent: true }),
    routeWith({ ...gated, id: 'first', mode: 'before' }),
    routeWith({ ...gated, id: 'first-again', mode: 'before', idempotent: true }),
  ];
  const [first, ...others] = routes;
  return publish(databaseUrl, [
    new RegisterTenant(tenantWith({ id: TENANT, host: '127.0.0.1', upstream, payee })),
    new PublishTariff(TENANT, 'flat', flat(PRICE.toString())),
    ...others.map((route) => new PublishRoute(route)),
    // `/quick` last, so that a gateway which serves it serves all of them.
    new PublishRoute(first!),
  ]);
}
