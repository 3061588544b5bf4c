import type { ICommand } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import { AccountChanged } from '../../src/base/event-store/accounts.js';
import { NEW_STREAM } from '../../src/base/event-store/event.js';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { LogTail } from '../../src/base/event-store/log-tail.js';
import { HoldsRefused, type Write } from '../../src/base/event-store/unit-of-work.js';
import { openPool } from '../../src/base/platform/pool.js';
import {
  AddSigningKey,
  AttachWallet,
  DetachWallet,
  OpenAccount,
  RevokeSigningKey,
  SetCreditLine,
  SuspendAccount,
} from '../../src/domains/customers/account.decide.js';
import type { CustomerId } from '../../src/domains/customers/account.js';
import { AccountBook, type BilledAccount } from '../../src/domains/customers/account-book.js';
import { keyIdOf, type SigningJwk } from '../../src/domains/customers/signing-key.js';
import { creditHold, creditKey, paidIn } from '../../src/domains/limits/credit.js';
import { freshDatabase } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { silent } from '../support/projections.js';
import { publish } from '../support/publishing.js';

const LANES = 8;
const WALLET = `0x${'ab'.repeat(20)}` as const;
const terms: OpenAccount['terms'] = {
  currency: 'USD',
  network: 'eip155:84532',
  asset: WALLET,
  decimals: 6,
  creditLine: '100',
  period: 'month',
  timeZone: 'UTC',
  wayToPay: 'x402',
};
const jwk = (n: number): SigningJwk => ({
  kty: 'OKP',
  crv: 'Ed25519',
  x: Buffer.alloc(32, n + 2).toString('base64url'),
});
const customer = (n: number): CustomerId => `cus_${n.toString(16).padStart(24, '0')}`;

let databaseUrl: string;
let pool: Pool;
let tail: LogTail;
let book: AccountBook;
let streams = 0;

beforeAll(async () => {
  databaseUrl = await freshDatabase();
  pool = openPool(databaseUrl, 'test', 4, { warn: () => undefined });
  tail = new LogTail(databaseUrl, silent, 'tollbook_customers');
  await tail.start();
  book = new AccountBook(pool, tail, silent);
  await book.start();
});

afterAll(async () => {
  await book.stop();
  await tail.stop();
  await pool.end();
});

const send = (...commands: readonly ICommand[]) => publish(databaseUrl, commands);
const storeOfAProcess = () => new EventStore(pool, () => 1_800_000_000_000);

function admit(store: EventStore, account: BilledAccount, holds: Write['holds']) {
  const place = { stream: `owed/${streams++}`, tenant: account.tenant, expectedVersion: NEW_STREAM };
  return store.append({
    ...place,
    account,
    holds,
    decide: () => ({ events: [{ type: 'Owed', schema: 1, data: {} }] }),
  });
}

async function heldOf(account: BilledAccount): Promise<bigint> {
  const { rows } = await pool.query('select held::text from hold_totals where key = $1', [
    creditKey(account.tenant, account.customer),
  ]);
  return BigInt(rows[0]?.held ?? 0);
}

describe('the book of accounts', () => {
  it('finds an account by its id, its keys and its wallets, a moment after they are its own', async () => {
    const id = customer(1);
    await send(
      new OpenAccount('shop', id, terms),
      new AddSigningKey('shop', id, jwk(1), 'provider'),
      new AttachWallet('shop', id, WALLET),
    );
    await eventually(() => book.accountByWallet('shop', WALLET));
    const account = book.accountById('shop', id)!;
    expect(account).toMatchObject({ creditLine: 100n, status: 'active', revision: 3, billing: { timeZone: 'UTC' } });
    expect(account.keys.get(keyIdOf(jwk(1)))).toEqual(jwk(1));
    expect(book.accountByKeyId('shop', keyIdOf(jwk(1)))).toBe(account);
    expect([book.accountByKeyId('else', keyIdOf(jwk(1))), book.hasAccounts('else')]).toEqual([undefined, false]);
    expect(book.hasAccounts('shop')).toBe(true);
  });

  it('loses what is gone', async () => {
    const id = customer(2);
    const wallet = `0x${'cd'.repeat(20)}` as const;
    await send(
      new OpenAccount('shop', id, terms),
      new AddSigningKey('shop', id, jwk(2), 'provider'),
      new AttachWallet('shop', id, wallet),
    );
    await eventually(() => book.accountByWallet('shop', wallet));
    await send(
      new RevokeSigningKey('shop', id, keyIdOf(jwk(2))),
      new DetachWallet('shop', id, wallet),
      new SuspendAccount('shop', id, 'overdue'),
    );
    await book.again();
    expect(book.accountById('shop', id)).toMatchObject({ status: 'suspended', revision: 6, wallets: [] });
    expect([book.accountByKeyId('shop', keyIdOf(jwk(2))), book.accountByWallet('shop', wallet)]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('has each key and wallet once in a tenant', async () => {
    await send(new OpenAccount('shop', customer(3), terms), new OpenAccount('else', customer(3), terms));
    await expect(send(new AddSigningKey('shop', customer(3), jwk(1), 'provider'))).rejects.toMatchObject({
      code: 'signing_key_taken',
    });
    await expect(send(new AttachWallet('shop', customer(3), WALLET))).rejects.toMatchObject({ code: 'wallet_taken' });
    await send(
      new AddSigningKey('else', customer(3), jwk(1), 'provider'),
      new AttachWallet('else', customer(3), WALLET),
    );
  });
});

describe('a write on credit', () => {
  it('is refused alone if its account is not as it was read', async () => {
    const id = customer(4);
    await send(new OpenAccount('shop', id, terms), new AddSigningKey('shop', id, jwk(4), 'provider'));
    await book.again();
    const before = book.accountByKeyId('shop', keyIdOf(jwk(4)))!;
    await send(new SetCreditLine('shop', id, '5'));
    const store = storeOfAProcess();
    const other = book.accountById('shop', customer(1))!;
    const [stale, fine] = await Promise.allSettled([
      admit(store, before, [creditHold(before, 50n, before.creditLine)]),
      admit(store, other, [creditHold(other, 50n, other.creditLine)]),
    ]);
    expect([stale.status, fine.status]).toEqual(['rejected', 'fulfilled']);
    expect((stale as PromiseRejectedResult).reason).toBeInstanceOf(AccountChanged);
    expect(await heldOf(before)).toBe(0n);
    await book.again();
    const now = book.accountById('shop', id)!;
    await expect(admit(store, now, [creditHold(now, 6n, now.creditLine)])).rejects.toBeInstanceOf(HoldsRefused);
    await admit(store, now, [creditHold(now, 5n, now.creditLine)]);
  });

  it('is before a revocation or refused by it, whatever is under way in other processes', async () => {
    const id = customer(5);
    await send(new OpenAccount('shop', id, { ...terms, creditLine: '1000000' }));
    await send(new AddSigningKey('shop', id, jwk(5), 'provider'));
    await book.again();
    const account = book.accountByKeyId('shop', keyIdOf(jwk(5)))!;
    const stores = [storeOfAProcess(), storeOfAProcess()];
    const admitted: bigint[] = [];
    const refusals: unknown[] = [];
    const lane = async (store: EventStore): Promise<void> => {
      for (let refused = 0; refused < 3; ) {
        try {
          admitted.push((await admit(store, account, [creditHold(account, 1n, account.creditLine)])).position);
        } catch (error) {
          refusals.push(error);
          refused++;
        }
      }
    };
    const lanes = Array.from({ length: LANES }, (_, n) => lane(stores[n % stores.length]!));
    await eventually(() => admitted.length > 40);
    await send(new RevokeSigningKey('shop', id, keyIdOf(jwk(5))));
    await Promise.all(lanes);
    const { rows } = await pool.query(`select position from events where type = 'SigningKeyRevoked' and stream = $1`, [
      `account/shop/${id}`,
    ]);
    expect(admitted.filter((position) => position > BigInt(rows[0].position))).toEqual([]);
    expect(refusals.every((error) => error instanceof AccountChanged)).toBe(true);
    expect(await heldOf(account)).toBe(BigInt(admitted.length));
  });

  it('takes what was paid in advance and not a unit more, however many ask at once', async () => {
    const id = customer(6);
    await send(new OpenAccount('shop', id, { ...terms, creditLine: '0' }));
    await book.again();
    const account = book.accountById('shop', id)!;
    const stores = [storeOfAProcess(), storeOfAProcess()];
    await admit(stores[0]!, account, [paidIn(account, 10n)]);
    expect(await heldOf(account)).toBe(-10n);
    const asked = Array.from({ length: 60 }, (_, n) => admit(stores[n % 2]!, account, [creditHold(account, 1n, 0n)]));
    const outcomes = await Promise.allSettled(asked);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
    expect(await heldOf(account)).toBe(0n);
  });
});
