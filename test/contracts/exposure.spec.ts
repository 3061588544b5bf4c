import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { createLogger } from '../../src/base/platform/logger.js';
import { openPool } from '../../src/base/platform/pool.js';
import { systemClock } from '../../src/base/shared/clock.js';
import type { Hex } from '../../src/base/shared/hex.js';
import { handlerFor, newPayment, type PaymentAfter } from '../../src/domains/payments/handler-for.js';
import { LiftProbation, LiftProbationHandler } from '../../src/domains/payments/lift-probation.js';
import {
  AuthorizePayment,
  decideAuthorize,
  decideDelivery,
  RecordDelivery,
} from '../../src/domains/payments/payment.decide.js';
import { type PaymentId, paymentIdOf } from '../../src/domains/payments/payment.js';
import { PROBATION_PAYMENTS, probationStream } from '../../src/domains/payments/probation.js';
import {
  ConfirmSettlement,
  decideConfirm,
  decideFail,
  FailSettlement,
} from '../../src/domains/payments/settle.decide.js';
import { upcast } from '../../src/event-catalogue.js';
import { freshDatabase } from '../support/engines.js';

const CALLERS = 200;
const PRICE = 1000n;
const PLACES = 31n;
const GATEWAY = 'gw_one';
const log = createLogger('silent', 'test');

const Authorize = handlerFor(AuthorizePayment, decideAuthorize);
const Deliver = handlerFor(RecordDelivery, decideDelivery);
const Confirm = handlerFor(ConfirmSettlement, decideConfirm);
const Fail = handlerFor(FailSettlement, decideFail);

let pools: Pool[];
/** One for each of two gateways. */
let stores: EventStore[];

beforeAll(async () => {
  const databaseUrl = await freshDatabase();
  pools = ['one', 'two'].map((name) => openPool(databaseUrl, name, 8, log));
  stores = pools.map((pool) => new EventStore(pool, systemClock, upcast));
});
afterAll(() => Promise.all(pools.map((pool) => pool.end())));

const newPayer = (): Hex => `0x${randomBytes(20).toString('hex')}`;

function purchase(payer: Hex, tenant: string, limit: bigint): AuthorizePayment {
  const network = 'eip155:84532';
  const asset: Hex = `0x${'a'.repeat(40)}`;
  const nonce: Hex = `0x${randomBytes(32).toString('hex')}`;
  const payee: Hex = `0x${'c'.repeat(40)}`;
  const signed = {
    network,
    asset,
    payer,
    payee,
    amount: `${PRICE}`,
    validAfter: '0',
    validBefore: '1900000000',
    nonce,
  } as const;
  const terms: AuthorizePayment['terms'] = {
    ...{ tenant, route: 'weather', method: 'GET', resource: 'http://localhost/weather', terms: signed },
    ...{ requestDigest: 'r', payloadDigest: 'p', x402Version: 2, tariff: { id: 'flat', version: 1 }, units: '1' },
    ...{ authorizedAt: '1800000000', idempotent: false, gateway: GATEWAY },
  };
  const exposure = [{ key: `exposure/${tenant}/${payer}`, delta: PRICE, limit }];
  return new AuthorizePayment(paymentIdOf(signed), terms, exposure, [], newPayment);
}

/** Purchases by so many callers at once, at both gateways. */
async function buy(callers: number, payer: Hex, tenant = 'demo', limit = 1_000_000n): Promise<PaymentAfter[]> {
  const bought = Array.from({ length: callers }, (_, index) => {
    return new Authorize(stores[index % 2]!).execute(purchase(payer, tenant, limit));
  });
  return Promise.all(bought);
}

function modesOf(bought: readonly PaymentAfter[]) {
  const modes = bought.map(({ state }) => (state.status === 'unknown' ? undefined : state.authorized.mode));
  return {
    async: modes.filter((mode) => mode === 'async').length,
    after: modes.filter((mode) => mode === 'after').length,
  };
}

function idOf({ state }: PaymentAfter): PaymentId {
  if (state.status === 'unknown') throw new Error('not authorized');
  return paymentIdOf(state.authorized.terms);
}

async function deliver(bought: PaymentAfter): Promise<PaymentId> {
  const id = idOf(bought);
  const delivered = { status: 200, responseDigest: 'd', bytes: 2, latencyMs: 1, kept: true };
  await new Deliver(stores[0]!).execute(new RecordDelivery(id, delivered, GATEWAY));
  return id;
}

async function settle(bought: PaymentAfter): Promise<void> {
  const id = await deliver(bought);
  const settled = { transaction: '0x01', blockNumber: '7', blockHash: '0xb7', logIndex: 3, by: 'settler' } as const;
  await new Confirm(stores[0]!).execute(new ConfirmSettlement(id, settled));
}

async function cancel(bought: PaymentAfter): Promise<void> {
  const id = await deliver(bought);
  await new Fail(stores[1]!).execute(new FailSettlement(id, { reason: 'authorization_cancelled' }, []));
}

async function heldUnder(key: string): Promise<bigint | undefined> {
  const { rows } = await pools[0]!.query<{ held: string }>('select held::text from hold_totals where key = $1', [key]);
  return rows[0] && BigInt(rows[0].held);
}

describe('exposure', () => {
  it(`of ${CALLERS} callers at once at two gateways is taken up to the limit; the others are served after their settlement`, async () => {
    const payer = newPayer();
    const bought = await buy(CALLERS, payer, 'demo', PLACES * PRICE);
    expect(modesOf(bought)).toEqual({ async: Number(PLACES), after: CALLERS - Number(PLACES) });
    expect(await heldUnder(`exposure/demo/${payer}`)).toBe(PLACES * PRICE);
    expect(await heldUnder(`probation/demo/${payer}`)).toBeUndefined();
  });

  it('has room again for what was settled, and for nothing else', async () => {
    const payer = newPayer();
    const [first] = await buy(1, payer, 'demo', PRICE);
    expect(modesOf(await buy(20, payer, 'demo', PRICE))).toEqual({ async: 0, after: 20 });
    await settle(first!);
    expect(modesOf(await buy(20, payer, 'demo', PRICE))).toEqual({ async: 1, after: 19 });
  });
});

describe('a payer whose payment failed after its answer', () => {
  it(`is served after settlement, at every gateway, until ${PROBATION_PAYMENTS} payments have settled`, async () => {
    const payer = newPayer();
    const [bad] = await buy(1, payer);
    await cancel(bad!);
    const bought = await buy(CALLERS, payer);
    expect(modesOf(bought)).toEqual({ async: 0, after: CALLERS });
    const needed = Number(PROBATION_PAYMENTS);
    await Promise.all(bought.slice(0, needed - 1).map(settle));
    expect(modesOf(await buy(2, payer))).toEqual({ async: 0, after: 2 });
    await settle(bought[needed - 1]!);
    expect(modesOf(await buy(2, payer))).toEqual({ async: 2, after: 0 });
  });

  it('is on probation once, however many of its payments fail together', async () => {
    const payer = newPayer();
    const bought = await buy(12, payer);
    await Promise.all(bought.map(cancel));
    expect(await heldUnder(`probation/demo/${payer}`)).toBe(PROBATION_PAYMENTS);
    expect(await heldUnder(`exposure/demo/${payer}`)).toBe(12n * PRICE);
  });

  it('is answered at once again when somebody has ended its probation, once', async () => {
    const payer = newPayer();
    const [bad] = await buy(1, payer);
    await cancel(bad!);
    const handlers = stores.map((store, n) => new LiftProbationHandler(store, pools[n]!));
    await Promise.all([...handlers, ...handlers].map((handler) => handler.execute(new LiftProbation('demo', payer))));
    expect(modesOf(await buy(2, payer))).toEqual({ async: 2, after: 0 });
    const events = await stores[0]!.readStream(probationStream('demo', payer));
    expect(events).toMatchObject([{ type: 'ProbationLifted', data: { payer, left: `${PROBATION_PAYMENTS}` } }]);
    const [other] = await buy(1, payer);
    await cancel(other!);
    expect(modesOf(await buy(1, payer))).toEqual({ async: 0, after: 1 });
  });

  it('loses nothing at other tenants', async () => {
    const payer = newPayer();
    const [bad] = await buy(1, payer);
    await cancel(bad!);
    expect(modesOf(await buy(1, payer, 'other'))).toEqual({ async: 1, after: 0 });
  });

  it('saves nothing up: payments that settled before do not count', async () => {
    const payer = newPayer();
    const after = await buy(20, payer, 'demo', 0n);
    await Promise.all(after.map(settle));
    const [bad] = await buy(1, payer);
    await cancel(bad!);
    expect(await heldUnder(`probation/demo/${payer}`)).toBe(PROBATION_PAYMENTS);
  });
});
