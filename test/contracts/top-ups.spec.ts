import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { LogTail } from '../../src/base/event-store/log-tail.js';
import { openPool } from '../../src/base/platform/pool.js';
import { systemClock } from '../../src/base/shared/clock.js';
import type { Hex } from '../../src/base/shared/hex.js';
import { ledgerProjection } from '../../src/domains/ledger/ledger.projection.js';
import { owedBy } from '../../src/domains/limits/credit.queries.js';
import { handlerFor, newPayment } from '../../src/domains/payments/handler-for.js';
import {
  AuthorizePayment,
  decideAuthorize,
  decideDelivery,
  RecordDelivery,
} from '../../src/domains/payments/payment.decide.js';
import { type PaymentId, paymentIdOf } from '../../src/domains/payments/payment.js';
import {
  decideRefund,
  decideRevertRefund,
  RecordRefund,
  RevertRefund,
} from '../../src/domains/payments/payment.refund.js';
import {
  ConfirmSettlement,
  decideConfirm,
  decideFail,
  decideRevert,
  FailSettlement,
  RevertSettlement,
} from '../../src/domains/payments/settle.decide.js';
import { holdsCheck } from '../../src/domains/reports/checks/holds.check.js';
import { ledgerCheck } from '../../src/domains/reports/checks/ledger.check.js';
import { upcast } from '../../src/event-catalogue.js';
import { freshDatabase } from '../support/engines.js';
import { runToEnd, silent } from '../support/projections.js';
import { runOn } from '../verify/checks.js';

const TENANT = 'shop';
const GATEWAY = 'gw_one';
const ledger = ledgerProjection(upcast);
const Authorize = handlerFor(AuthorizePayment, decideAuthorize);
const Deliver = handlerFor(RecordDelivery, decideDelivery);
const Confirm = handlerFor(ConfirmSettlement, decideConfirm);
const Revert = handlerFor(RevertSettlement, decideRevert);
const Fail = handlerFor(FailSettlement, decideFail);
const Refund = handlerFor(RecordRefund, decideRefund);
const Unrefund = handlerFor(RevertRefund, decideRevertRefund);

let databaseUrl: string;
let pool: Pool;
let tail: LogTail;
/** One for each of two processes. */
let stores: readonly [EventStore, EventStore];

beforeAll(async () => {
  databaseUrl = await freshDatabase();
  pool = openPool(databaseUrl, 'test', 8, silent);
  tail = new LogTail(databaseUrl, silent);
  stores = [new EventStore(pool, systemClock, upcast), new EventStore(pool, systemClock, upcast)];
});

afterAll(async () => {
  await tail.stop();
  await pool.end();
});

const hex = (bytes: number): Hex => `0x${randomBytes(bytes).toString('hex')}`;
const inBlock = (blockHash: Hex) =>
  ({ transaction: '0x01', blockNumber: '7', blockHash, logIndex: 3, by: 'settler' }) as const;
const refund = (amount: string, blockHash: Hex) => {
  const sent = { transaction: hex(32), logIndex: 1, amount, blockNumber: '9', blockHash, at: '1800000000' };
  return sent as unknown as ConstructorParameters<typeof RecordRefund>[1];
};

/** A payment into an account that was answered, and waits for its settlement. */
async function answered(customer: string, amount: string): Promise<PaymentId> {
  const claim = { network: 'eip155:84532', asset: hex(20), payer: hex(20), nonce: hex(32) } as const;
  const id = paymentIdOf(claim);
  const signed = { ...claim, payee: hex(20), amount, validAfter: '0', validBefore: '1900000000' };
  const terms: AuthorizePayment['terms'] = {
    ...{ tenant: TENANT, route: '-top-up', method: 'GET', resource: 'http://localhost/-/top-up', terms: signed },
    ...{ requestDigest: 'r', payloadDigest: 'p', x402Version: 2, tariff: { id: '-top-up', version: 1 }, units: amount },
    ...{ authorizedAt: '1800000000', idempotent: true, gateway: GATEWAY, account: customer },
  };
  await new Authorize(stores[0]).execute(new AuthorizePayment(id, terms, [], [], newPayment));
  const delivered = { status: 200, responseDigest: 'd', bytes: 1, latencyMs: 1, kept: true };
  await new Deliver(stores[0]).execute(new RecordDelivery(id, delivered, GATEWAY));
  return id;
}

const settle = (id: PaymentId, block: Hex, store = stores[0]) =>
  new Confirm(store).execute(new ConfirmSettlement(id, inBlock(block)));
const revert = (id: PaymentId, blockHash: Hex, store = stores[0]) =>
  new Revert(store).execute(new RevertSettlement(id, { transaction: '0x01', blockHash }));

/** What the account owes; the ledger and the events say the same. */
async function owed(customer: string): Promise<bigint> {
  await runToEnd(pool, tail, ledger);
  const { holds, ledger: books } = await runOn(databaseUrl, [holdsCheck(ledger), ledgerCheck(ledger)]);
  expect([holds!.differences, books!.differences]).toEqual([[], []]);
  const { rows } = await pool.query(
    `select (credits_posted - debits_posted)::text as paid from ledger_accounts
     where kind = 'prepaid_balance' and party = $1`,
    [customer],
  );
  const total = await owedBy(pool, TENANT, customer);
  expect(BigInt(rows[0]?.paid ?? 0)).toBe(-total);
  return total;
}

describe('money paid into an account', () => {
  it('counts when it has moved, once, whoever says so and however often', async () => {
    const id = await answered('cus_a', '500');
    expect(await owed('cus_a')).toBe(0n);
    await Promise.all([settle(id, '0xb1', stores[0]), settle(id, '0xb1', stores[1]), settle(id, '0xb1', stores[1])]);
    await settle(id, '0xb1', stores[1]);
    expect(await owed('cus_a')).toBe(-500n);
  });

  it('does not count if it never moves', async () => {
    const id = await answered('cus_b', '500');
    await new Fail(stores[0]).execute(new FailSettlement(id, { reason: 'authorization_expired' }, []));
    expect(await owed('cus_b')).toBe(0n);
  });

  it('is gone when its block is, once, and there again with another', async () => {
    const id = await answered('cus_c', '500');
    await settle(id, '0xb1');
    await Promise.all([revert(id, '0xb1', stores[0]), revert(id, '0xb1', stores[1])]);
    expect(await owed('cus_c')).toBe(0n);
    await settle(id, '0xb2');
    await revert(id, '0xb1');
    expect(await owed('cus_c')).toBe(-500n);
    await revert(id, '0xb2');
    await new Fail(stores[0]).execute(new FailSettlement(id, { reason: 'authorization_expired' }, ['0x01']));
    expect(await owed('cus_c')).toBe(0n);
  });

  it('is less by what was sent back, and by nothing that was not sent after all', async () => {
    const id = await answered('cus_d', '500');
    await settle(id, '0xb1');
    const back = refund('200', '0xc1');
    await new Refund(stores[0]).execute(new RecordRefund(id, back));
    await new Refund(stores[1]).execute(new RecordRefund(id, back));
    expect(await owed('cus_d')).toBe(-300n);
    await new Unrefund(stores[0]).execute(new RevertRefund(id, back));
    await new Unrefund(stores[1]).execute(new RevertRefund(id, back));
    expect(await owed('cus_d')).toBe(-500n);
  });

  it('that somebody adds to the total by hand is found by verify', async () => {
    await pool.query(`update hold_totals set held = held - 1 where key = 'credit/shop/cus_a'`);
    const { holds } = await runOn(databaseUrl, [holdsCheck(ledger)]);
    expect(holds!.differences).toEqual([
      { what: 'hold', where: 'hold_totals credit/shop/cus_a', expected: '-500', found: '-501' },
    ]);
    await pool.query(`update hold_totals set held = held + 1 where key = 'credit/shop/cus_a'`);
  });
});
