import { DynamicModule, Global, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CqrsModule } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import { parseAbiItem } from 'viem';
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import type { SettlementChain } from '../../src/base/chain/chain.js';
import type { ChainClient } from '../../src/base/chain/chain-client.js';
import { ViemSettlementChain } from '../../src/base/chain/settlement-chain.js';
import { keySigner } from '../../src/base/chain/signer.js';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { LogTail } from '../../src/base/event-store/log-tail.js';
import { ProjectionRunner } from '../../src/base/event-store/projection-runner.js';
import { createLogger, type Logger } from '../../src/base/platform/logger.js';
import { openPool } from '../../src/base/platform/pool.js';
import { CLOCK, LOGGER, POOL } from '../../src/base/platform/tokens.js';
import { type Clock, systemClock } from '../../src/base/shared/clock.js';
import type { Address, Hex } from '../../src/base/shared/hex.js';
import { noScreening, type Screening } from '../../src/domains/customers/screening.port.js';
import { loadPayment } from '../../src/domains/payments/handler-for.js';
import {
  type Payment,
  type PaymentId,
  paymentIdOf,
  paymentStream,
  type SettlementMode,
} from '../../src/domains/payments/payment.js';
import { PaymentsModule } from '../../src/domains/payments/payments.module.js';
import { paymentsProjection } from '../../src/domains/payments/payments.projection.js';
import { refundsProjection } from '../../src/domains/payments/refunds.projection.js';
import type { ConfirmationTier } from '../../src/domains/settlement/confirmations.js';
import { RefundWallets } from '../../src/domains/settlement/refunds/refund-wallets.js';
import { SettlementModule } from '../../src/domains/settlement/settlement.module.js';
import { upcast } from '../../src/event-catalogue.js';
import { addressOf, authorizationOf, type LocalChain, randomKey, signAuthorization } from '../chain/support.js';
import { freshDatabase, freshRedis } from '../support/engines.js';
import { mintUsdc } from '../support/usdc.js';

export const log: Logger = createLogger(process.env.SETTLEMENT_TEST_LOG ?? 'silent', 'test');
export const PAYEE: Address = '0x7011b00c000000000000000000000000000000aa';
const TRANSFER = parseAbiItem('event Transfer(address indexed from, address indexed to, uint256 value)');
const DAY_SECONDS = 86_400;

/** One Postgres database and one Redis database, as a gateway would see them. */
export interface Desk {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly pool: Pool;
  readonly store: EventStore;
  readonly close: () => Promise<void>;
}

export async function openDesk(): Promise<Desk> {
  const [databaseUrl, redisUrl] = await Promise.all([freshDatabase(), freshRedis()]);
  const pool = openPool(databaseUrl, 'test-desk', 8, log);
  const store = new EventStore(pool, systemClock, upcast);
  const tail = new LogTail(databaseUrl, log);
  await tail.start();
  const runners = [paymentsProjection(upcast), refundsProjection].map(
    (projection) => new ProjectionRunner(pool, tail, projection, log),
  );
  for (const runner of runners) runner.start();
  const close = async () => {
    await Promise.all(runners.map((runner) => runner.stop()));
    await tail.stop();
    await pool.end();
  };
  return { databaseUrl, redisUrl, pool, store, close };
}

export interface Purchase {
  readonly mode: SettlementMode;
  readonly amount?: bigint;
  readonly validBefore?: bigint;
  readonly payee?: Address;
  readonly tenant?: string;
}

export async function newPayer(chain: LocalChain, balance: bigint): Promise<PrivateKeyAccount> {
  const payer = privateKeyToAccount(randomKey());
  if (balance > 0n) await mintUsdc(chain.rpcUrl, addressOf(payer), balance);
  return payer;
}

export interface Delivered {
  readonly id: PaymentId;
  readonly authorization: ReturnType<typeof authorizationOf>;
  readonly signature: Hex;
}

/** Writes what a gateway writes up to the delivery. */
export async function deliver(
  desk: Desk,
  chain: LocalChain,
  payer: PrivateKeyAccount,
  purchase: Purchase,
): Promise<Delivered> {
  const { mode, amount = 1_000n, payee = PAYEE, tenant = 'demo' } = purchase;
  const validBefore = purchase.validBefore ?? BigInt(Math.floor(Date.now() / 1000) + DAY_SECONDS);
  const authorization = { ...authorizationOf(addressOf(payer), payee, amount), validBefore };
  const signature = await signAuthorization(payer, chain.token, authorization);
  const { from, nonce } = authorization;
  const { address: asset, network } = chain.token;
  const id = paymentIdOf({ network, asset, payer: from, nonce });
  const terms = {
    ...{ network, asset, payer: from, payee, amount: String(amount), nonce },
    ...{ validAfter: '0', validBefore: String(validBefore) },
  };
  const held = mode === 'async' ? [holdKey(from)] : [];
  const authorized = {
    ...{ tenant, route: 'weather', method: 'GET', resource: 'http://localhost/weather', terms, mode },
    holds: held.map((key) => ({ key, amount: String(amount) })),
    ...{ requestDigest: 'r', payloadDigest: 'p', x402Version: 2, tariff: { id: 'flat', version: 1 }, units: '1' },
    ...{ idempotent: false, gateway: 'g1' },
  };
  const delivered = { status: 200, responseDigest: 'd', bytes: 2, latencyMs: 1, kept: true };
  const row = { payment_id: id, signature: Buffer.from(signature.slice(2), 'hex'), valid_before: String(validBefore) };
  await desk.store.append({
    stream: paymentStream(id),
    tenant,
    expectedVersion: 0,
    holds: held.map((key) => ({ key, delta: amount })),
    decide: () => ({
      events: [
        { type: 'PaymentAuthorized', schema: 4, data: authorized },
        { type: 'RequestDelivered', schema: 1, data: delivered },
      ],
      attachments: [{ table: 'authorizations', row }],
    }),
  });
  return { id, authorization, signature };
}

export function holdKey(payer: Address): string {
  return `exposure/demo/${payer}`;
}

export function heldBy(desk: Desk, payer: Address): Promise<string | undefined> {
  return heldUnder(desk, holdKey(payer));
}

/** Payments that the payer still has to settle before it is answered at once again. */
export function probationOf(desk: Desk, payer: Address): Promise<string | undefined> {
  return heldUnder(desk, `probation/demo/${payer}`);
}

async function heldUnder(desk: Desk, key: string): Promise<string | undefined> {
  const { rows } = await desk.pool.query<{ held: string }>('select held::text from hold_totals where key = $1', [key]);
  return rows[0]?.held;
}

/** Wei of gas that the log says was paid, and not taken back. */
export async function gasBooked(desk: Pick<Desk, 'pool'>): Promise<bigint> {
  const { rows } = await desk.pool.query<{ wei: string }>(
    `select coalesce(sum(case type when 'NetworkFeePaid' then 1 else -1 end * (data ->> 'share')::numeric), 0)::text as wei
     from events where type in ('NetworkFeePaid', 'NetworkFeeReversed')`,
  );
  return BigInt(rows[0]!.wei);
}

/** How often the token moved money from the payer to the payee: the chain's own count. */
export async function transfersFrom(chain: LocalChain, payer: Address, to: Address = PAYEE): Promise<number> {
  const { address } = chain.token;
  const logs = await chain.client.getLogs({ address, event: TRANSFER, args: { from: payer, to }, fromBlock: 0n });
  return logs.length;
}

export async function stateOf(desk: Desk, id: PaymentId): Promise<Payment> {
  return (await loadPayment(desk.store, id)).state;
}

/** True when all payments stand as asked; throws with what stands otherwise, for a readable timeout. */
export async function allAre(desk: Desk, status: Payment['status'], ids: readonly PaymentId[]): Promise<true> {
  const streams = await Promise.all(ids.map((id) => stateOf(desk, id)));
  const others = streams.filter((state) => state.status !== status);
  if (others.length > 0) throw new Error(`${others.length} of ${ids.length} are not ${status}: ${others[0]!.status}`);
  return true;
}

@Global()
@Module({})
class TestRuntimeModule {
  static of(values: readonly [unknown, unknown][]): DynamicModule {
    const providers = values.map(([provide, useValue]) => ({ provide: provide as symbol, useValue }));
    return {
      module: TestRuntimeModule,
      imports: [CqrsModule.forRoot()],
      providers,
      exports: [...providers, CqrsModule],
    };
  }
}

export interface WorkerOptions {
  readonly clock?: Clock;
  /** Puts faults between the worker and the chain. */
  readonly wrap?: (chain: SettlementChain) => SettlementChain;
  readonly screening?: Screening;
  readonly settlerKeys?: readonly Hex[];
  readonly refundKeys?: readonly Hex[];
  /** In wei; none for the default. */
  readonly maxFeePerGas?: bigint;
  readonly confirmations?: readonly ConfirmationTier[];
  /** How long the chain may take to show what a facilitator did, in milliseconds. */
  readonly confirmMs?: number;
  /** Puts faults between the reconciler and the chain. */
  readonly client?: ChainClient;
}

/** Of what facilitators are shown. */
export const FACILITATOR_KEY = Buffer.alloc(32, 7);

/** The settlement worker as the application runs it, with connections of its own. */
export async function startWorker(
  desk: Pick<Desk, 'databaseUrl' | 'redisUrl'>,
  local: Pick<LocalChain, 'client' | 'token' | 'settlerKey'>,
  {
    clock = systemClock,
    wrap = (chain) => chain,
    screening = noScreening,
    settlerKeys = [local.settlerKey],
    maxFeePerGas,
    confirmations,
    refundKeys = [],
    confirmMs,
    client = local.client,
  }: WorkerOptions = {},
): Promise<{ stop(): Promise<void> }> {
  const pool = openPool(desk.databaseUrl, 'test-worker', 8, log);
  const tail = new LogTail(desk.databaseUrl, log);
  await tail.start();
  const chain = new ViemSettlementChain({
    client: local.client,
    network: local.token.network,
    signers: settlerKeys.map(keySigner),
    maxFeePerGas,
  });
  const values: [unknown, unknown][] = [
    [POOL, pool],
    [LOGGER, log],
    [CLOCK, clock],
    [EventStore, new EventStore(pool, systemClock, upcast)],
    [LogTail, tail],
  ];
  const settlement = SettlementModule.of({
    redisUrl: desk.redisUrl,
    chains: [{ chain: wrap(chain), client, tokens: new Map([[local.token.address, local.token]]), confirmations }],
    wallets: new RefundWallets(refundKeys.map(keySigner)),
    upcast,
    screening,
    facilitators: { key: FACILITATOR_KEY, confirmMs },
  });
  @Module({ imports: [TestRuntimeModule.of(values), PaymentsModule, settlement] })
  class Root {}
  const app = await NestFactory.createApplicationContext(Root, { logger: false });
  const stop = async () => {
    await app.close();
    await tail.stop();
    await pool.end();
  };
  return { stop };
}
