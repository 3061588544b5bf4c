import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg, { type Pool } from 'pg';
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import type { Token } from '../../src/base/chain/chain.js';
import type { NewEvent } from '../../src/base/event-store/event.js';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { LogTail } from '../../src/base/event-store/log-tail.js';
import { ProjectionRunner } from '../../src/base/event-store/projection-runner.js';
import { Sealer } from '../../src/base/event-store/seals/sealer.js';
import { Witness, witnessPathOf } from '../../src/base/event-store/seals/witness.js';
import { openPool } from '../../src/base/platform/pool.js';
import { systemClock } from '../../src/base/shared/clock.js';
import type { Address } from '../../src/base/shared/hex.js';
import { exposureKey } from '../../src/domains/limits/exposure.js';
import { countedAt } from '../../src/domains/limits/quota-key.js';
import { freeRequestIdOf, freeRequestStream } from '../../src/domains/payments/free-request.js';
import {
  type PaymentAuthorized,
  type PaymentEvent,
  type PaymentId,
  paymentIdOf,
  paymentStream,
} from '../../src/domains/payments/payment.js';
import type { PaymentAuthorizedV1 } from '../../src/domains/payments/payment.upcasts.js';
import { ReceiptSigner } from '../../src/domains/receipts/receipt-signer.js';
import { upcast } from '../../src/event-catalogue.js';
import { projections } from '../../src/projections.js';
import {
  addressOf,
  authorizationOf,
  type LocalChain,
  randomKey,
  signAuthorization,
  startLocalChain,
} from '../chain/support.js';
import { log, startWorker } from '../settlement/support.js';
import { withDatabase } from '../support/database-urls.js';
import { freshDatabase, freshRedis } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { mintUsdc } from '../support/usdc.js';

const TENANT = 'demo';
/** Windows that do not end while a test runs. */
const DAILY_QUOTA = 'quota/demo/daily/day/*/4102444800';
const ROLLING_QUOTA = 'quota/demo/rolled/86400s/*';

export const signer = new ReceiptSigner('http://localhost:4020', [`0x${'11'.repeat(32)}`]);
const DAY_SECONDS = 86_400;
const DIGEST = 'A'.repeat(43);

/** A book with a worker and its projections, in front of a chain of its own. */
export interface Stand {
  readonly chain: LocalChain;
  readonly databaseUrl: string;
  readonly pool: Pool;
  readonly store: EventStore;
  /** What the sealer writes beside the database. */
  readonly witnessPath: string;
  /** Whose wallet is paid; it has gas, so that it can refund. */
  readonly payee: PrivateKeyAccount;
  /** Stops what writes; the database and the chain stay. */
  rest(): Promise<void>;
  stop(): Promise<void>;
}

export async function openStand(): Promise<Stand> {
  const chain = await startLocalChain();
  const [databaseUrl, redisUrl] = await Promise.all([freshDatabase(), freshRedis()]);
  const pool = openPool(databaseUrl, 'test-stand', 8, log);
  const tail = new LogTail(databaseUrl, log);
  await tail.start();
  const runners = projections.map((projection) => new ProjectionRunner(pool, tail, projection, log, upcast));
  for (const runner of runners) runner.start();
  const store = new EventStore(pool, systemClock, upcast);
  const folder = await mkdtemp(join(tmpdir(), 'tollbook-verify-'));
  const witnessPath = witnessPathOf(folder);
  const sealer = new Sealer({ pool, store, signer, witness: new Witness(witnessPath), clock: systemClock, log });
  sealer.start();
  const worker = await startWorker({ databaseUrl, redisUrl }, chain);
  const payee = privateKeyToAccount(randomKey());
  await chain.node.setBalance({ address: payee.address, value: 10n ** 18n });
  let resting: Promise<void> | undefined;
  const rest = () => {
    resting ??= (async () => {
      await worker.stop();
      await Promise.all(runners.map((runner) => runner.stop()));
      await sealer.stop();
      await tail.stop();
      await pool.end();
    })();
    return resting;
  };
  const stop = async () => {
    await rest();
    await chain.stop();
    await rm(folder, { recursive: true });
  };
  return { chain, databaseUrl, pool, store, witnessPath, payee, rest, stop };
}

/** A database of one's own with the same rows. Nobody may be connected to the other one. */
export async function copyOf(databaseUrl: string): Promise<string> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asAdmin(databaseUrl, `create database ${name} template ${nameOf(databaseUrl)}`);
  return withDatabase(databaseUrl, name);
}

export function dropped(databaseUrl: string): Promise<void> {
  return asAdmin(databaseUrl, `drop database ${nameOf(databaseUrl)}`);
}

async function asAdmin(databaseUrl: string, sql: string): Promise<void> {
  const admin = new pg.Client({ connectionString: withDatabase(databaseUrl, 'postgres') });
  await admin.connect();
  await admin.query(sql);
  await admin.end();
}

function nameOf(databaseUrl: string): string {
  return new URL(databaseUrl).pathname.slice(1);
}

export async function newPayer({ chain }: Stand, balance: bigint): Promise<PrivateKeyAccount> {
  const payer = privateKeyToAccount(randomKey());
  if (balance > 0n) await mintUsdc(chain.rpcUrl, addressOf(payer), balance);
  return payer;
}

export interface Sale {
  readonly mode: 'async' | 'after';
  readonly amount: bigint;
  /** How the request ends; `interrupted` is run again and delivered. */
  readonly delivery?: 'delivered' | 'failed' | 'interrupted';
  /** Written as it was before there were quotas. */
  readonly old?: boolean;
}

export interface Sold {
  readonly id: PaymentId;
  readonly terms: PaymentAuthorized['data']['terms'];
}

/** Writes what gateways write for one request. */
export async function sell(stand: Stand, payer: PrivateKeyAccount, sale: Sale): Promise<Sold> {
  const { token } = stand.chain;
  const validBefore = BigInt(Math.floor(Date.now() / 1000) + DAY_SECONDS);
  const authorization = { ...authorizationOf(addressOf(payer), addressOf(stand.payee), sale.amount), validBefore };
  const signature = await signAuthorization(payer, token, authorization);
  const { from, nonce, to } = authorization;
  const id = paymentIdOf({ network: token.network, asset: token.address, payer: from, nonce });
  const terms = {
    ...{ network: token.network, asset: token.address, payer: from, payee: to, amount: String(sale.amount), nonce },
    ...{ validAfter: '0', validBefore: String(validBefore) },
  };
  const hold = sale.mode === 'async' ? holdOf(token, from) : undefined;
  const quotas = sale.old ? [] : [DAILY_QUOTA, `${ROLLING_QUOTA}@${Math.floor(Date.now() / 1000) * 1000}`];
  const held: [string, bigint][] = quotas.map((key) => [key, 1n]);
  if (hold !== undefined) held.push([hold, sale.amount]);
  const row = { payment_id: id, signature: Buffer.from(signature.slice(2), 'hex'), valid_before: String(validBefore) };
  const events: [NewEvent, bigint][] = [
    [authorizedBy(terms, sale, hold, quotas), 1n],
    ...deliveries[sale.delivery ?? 'delivered'],
  ];
  for (const [version, [event, change]] of events.entries()) {
    await stand.store.append({
      stream: paymentStream(id),
      tenant: TENANT,
      expectedVersion: version,
      holds: change === 0n ? [] : held.map(([key, amount]) => ({ ...countedAt(key), delta: change * amount })),
      decide: () => ({ events: [event], attachments: version === 0 ? [{ table: 'authorizations', row }] : [] }),
    });
  }
  return { id, terms };
}

/** An allowance whose period does not end while a test runs. */
export const ALLOWANCE = 'free/demo/0x00000000000000000000000000000000000000fe/requests/2100-01';

/** Writes what gateways write for one request within it. */
export async function give(stand: Stand, end: 'delivered' | 'failed' | 'interrupted' | 'running', old = false) {
  const rolled = `${ROLLING_QUOTA}@${Math.floor(Date.now() / 1000) * 1000}`;
  const keys = old ? [ALLOWANCE] : [ALLOWANCE, DAILY_QUOTA, rolled];
  const change = (by: bigint) => keys.map((key) => ({ ...countedAt(key), delta: by }));
  const id = freeRequestIdOf(TENANT, '0x00000000000000000000000000000000000000fe', undefined);
  const { address: asset, network } = stand.chain.token;
  const data = {
    ...{ tenant: TENANT, route: 'weather', method: 'GET', requestDigest: DIGEST, network, asset, units: '1' },
    payer: '0x00000000000000000000000000000000000000fe',
    ...{ tariff: { id: 'flat', version: 1 }, gateway: 'gw_one' },
  } as const;
  const holds = keys.map((key) => ({ key, amount: '1' }));
  const granted: NewEvent = old
    ? { type: 'FreeRequestGranted', schema: 1, data: { ...data, hold: holds[0]! } }
    : { type: 'FreeRequestGranted', schema: 3, data: { ...data, holds } };
  const place = { stream: freeRequestStream(id), tenant: TENANT };
  await stand.store.append({ ...place, expectedVersion: 0, holds: change(1n), decide: () => ({ events: [granted] }) });
  if (end === 'running') return;
  const ended = freeEnds[end];
  const back = end === 'delivered' ? [] : change(-1n);
  await stand.store.append({ ...place, expectedVersion: 1, holds: back, decide: () => ({ events: [ended] }) });
}

const freeEnds = {
  delivered: {
    type: 'FreeRequestDelivered',
    schema: 1,
    data: { status: 200, responseDigest: DIGEST, bytes: 2, latencyMs: 1 },
  },
  failed: { type: 'FreeRequestFailed', schema: 1, data: { reason: 'upstream_timeout', latencyMs: 5 } },
  interrupted: { type: 'FreeRequestInterrupted', schema: 1, data: { gateway: 'gw_one' } },
} as const;

/** True once every one of these payments has the state; throws with what stands otherwise. */
export async function allAre(stand: Stand, state: string, sold: readonly Sold[]): Promise<true> {
  const { rows } = await stand.pool.query<{ state: string; n: number }>(
    'select state, count(*)::int as n from payments where id = any($1) group by state',
    [sold.map(({ id }) => id)],
  );
  const there = rows.find((row) => row.state === state)?.n ?? 0;
  if (there !== sold.length) throw new Error(`not all are ${state}: ${JSON.stringify(rows)}`);
  return true;
}

/** All projections have seen every event. */
export function caughtUp({ pool }: Pick<Stand, 'pool'>): Promise<true> {
  return eventually(async () => {
    const { rows } = await pool.query<{ behind: number }>(
      `select count(*)::int as behind from projection_checkpoints
       where position < (select max(position) from events)`,
    );
    return rows[0]!.behind === 0;
  });
}

function holdOf({ address: asset, network }: Token, payer: Address): string {
  return exposureKey({ id: TENANT, network, asset }, payer);
}

function authorizedBy(
  terms: Sold['terms'],
  { mode, old }: Sale,
  hold: string | undefined,
  quotas: readonly string[],
): PaymentAuthorized | PaymentAuthorizedV1 {
  const data: PaymentAuthorizedV1['data'] = {
    ...{ tenant: TENANT, route: 'weather', method: 'GET', resource: 'http://localhost/weather', terms, mode },
    ...{ requestDigest: DIGEST, payloadDigest: DIGEST, x402Version: 2, tariff: { id: 'flat', version: 1 } },
    ...{ units: '1', authorizedAt: String(Math.floor(Date.now() / 1000)), idempotent: true, gateway: 'gw_one' },
  };
  if (old) return { type: 'PaymentAuthorized', schema: 1, data: { ...data, ...(hold === undefined ? {} : { hold }) } };
  const exposure = hold === undefined ? [] : [{ key: hold, amount: terms.amount }];
  const holds = [...exposure, ...quotas.map((key) => ({ key, amount: '1' }))];
  return { type: 'PaymentAuthorized', schema: 4, data: { ...data, holds } };
}

const event = <T extends PaymentEvent['type']>(type: T, data: Extract<PaymentEvent, { type: T }>['data']) =>
  ({ type, schema: 1, data }) as PaymentEvent;
const delivered = event('RequestDelivered', {
  status: 200,
  responseDigest: DIGEST,
  bytes: 2,
  latencyMs: 1,
  kept: true,
});

/** What follows the authorization, and what it does to the hold. */
const deliveries: Record<NonNullable<Sale['delivery']>, readonly [PaymentEvent, bigint][]> = {
  delivered: [[delivered, 0n]],
  failed: [[event('DeliveryFailed', { reason: 'upstream_timeout', kept: false, latencyMs: 5 }), -1n]],
  interrupted: [
    [event('DeliveryInterrupted', { gateway: 'gw_one' }), -1n],
    [event('DeliveryRestarted', { gateway: 'gw_two' }), 1n],
    [delivered, 0n],
  ],
};
