import type { Decision } from '../../base/event-store/unit-of-work.js';
import {
  ACCOUNT_KEYS_MAX,
  ACCOUNT_WALLETS_MAX,
  AddSigningKey,
  AttachWallet,
  DetachWallet,
  decideAddKey,
  decideAttachWallet,
  decideBilling,
  decideCreditLine,
  decideDetachWallet,
  decideOpenAccount,
  decideRemoveDirectory,
  decideResume,
  decideRevokeSigningKey,
  decideSetDirectory,
  decideSuspend,
  decideTakeDirectoryKeys,
  decideWayToPay,
  OpenAccount,
  RemoveKeyDirectory,
  ResumeAccount,
  RevokeSigningKey,
  SetBilling,
  SetCreditLine,
  SetKeyDirectory,
  SetWayToPay,
  SuspendAccount,
  TakeDirectoryKeys,
} from './account.decide.js';
import { type Account, type AccountEvent, evolveAccount } from './account.js';
import { decideFollowInvoices, FollowInvoices } from './account-overdue.decide.js';
import { keyIdOf, type SigningJwk } from './signing-key.js';

const CUSTOMER = 'cus_0123456789abcdef01234567';
const NOW = Date.UTC(2026, 0, 2);
const of = ['demo', CUSTOMER] as const;
const wallet = (n: number) => `0x${n.toString(16).padStart(40, '0')}` as const;
const jwk = (n: number): SigningJwk => ({
  kty: 'OKP',
  crv: 'Ed25519',
  x: Buffer.alloc(32, n + 2).toString('base64url'),
});
const terms: OpenAccount['terms'] = {
  currency: 'USD',
  network: 'eip155:84532',
  asset: wallet(1),
  decimals: 6,
  creditLine: '0',
  period: 'month',
  timeZone: 'UTC',
  wayToPay: 'x402',
};

/** Carries decisions out, one after the other. */
class Life {
  account: Account | undefined;
  version = 0;
  last: Decision = { events: [] };

  do<C>(
    decide: (state: Account | undefined, command: C, now: number, version: number) => Decision,
    command: C,
  ): readonly string[] {
    this.last = decide(this.account, command, NOW, this.version);
    this.account = (this.last.events as readonly AccountEvent[]).reduce<Account | undefined>(
      evolveAccount,
      this.account,
    );
    this.version += this.last.events.length;
    return this.last.events.map(({ type }) => type);
  }

  static opened(): Life {
    const life = new Life();
    life.do(decideOpenAccount, new OpenAccount(...of, terms));
    return life;
  }
}

describe('an account', () => {
  it('is opened once, with its row', () => {
    const life = Life.opened();
    expect(life.last.events).toMatchObject([{ type: 'AccountOpened', data: { customer: CUSTOMER, creditLine: '0' } }]);
    expect(life.last.attachments).toMatchObject([
      { table: 'accounts', row: { tenant: 'demo', customer: CUSTOMER, credit_line: '0', revision: 1 } },
    ]);
    expect(life.do(decideOpenAccount, new OpenAccount(...of, { ...terms, creditLine: '9' }))).toEqual([]);
  });

  it('has to be open for anything else', () => {
    expect(() => new Life().do(decideCreditLine, new SetCreditLine(...of, '1'))).toThrow('No such account');
    expect(() => new Life().do(decideAddKey, new AddSigningKey(...of, jwk(1), 'provider'))).toThrow('No such account');
  });

  it('moves its revision with each change, and not with a repeat', () => {
    const life = Life.opened();
    const changes = [
      () => life.do(decideCreditLine, new SetCreditLine(...of, '500')),
      () => life.do(decideBilling, new SetBilling(...of, { period: 'month', timeZone: 'Asia/Tokyo' })),
      () => life.do(decideWayToPay, new SetWayToPay(...of, { method: 'card', reference: 'pm_1' })),
      () => life.do(decideAttachWallet, new AttachWallet(...of, wallet(7))),
      () => life.do(decideAddKey, new AddSigningKey(...of, jwk(1), 'provider')),
      () => life.do(decideSuspend, new SuspendAccount(...of, 'overdue')),
      () => life.do(decideResume, new ResumeAccount(...of)),
      () => life.do(decideRevokeSigningKey, new RevokeSigningKey(...of, keyIdOf(jwk(1)))),
      () => life.do(decideDetachWallet, new DetachWallet(...of, wallet(7))),
    ];
    for (const [index, change] of changes.entries()) {
      expect(change()).toHaveLength(1);
      expect(life.last.attachments).toContainEqual(
        expect.objectContaining({ table: 'accounts', row: expect.objectContaining({ revision: index + 2 }) }),
      );
      if (index !== 5) expect(change()).toEqual([]);
    }
    expect(life.account).toMatchObject({
      ...{ creditLine: '500', billing: { timeZone: 'Asia/Tokyo' }, wayToPay: { method: 'card', reference: 'pm_1' } },
      ...{ suspended: undefined, wallets: new Set(), keys: new Map() },
    });
  });

  it('keeps why it is suspended, and the last reason counts', () => {
    const life = Life.opened();
    life.do(decideSuspend, new SuspendAccount(...of, 'overdue'));
    expect(life.do(decideSuspend, new SuspendAccount(...of, 'overdue'))).toEqual([]);
    life.do(decideSuspend, new SuspendAccount(...of, 'abuse'));
    expect(life.account!.suspended).toBe('abuse');
    expect(life.last.attachments).toMatchObject([{ row: { suspended: 'abuse' } }]);
  });
});

describe('an account whose invoices are not paid', () => {
  const follow = (life: Life, overdue: boolean) => life.do(decideFollowInvoices, new FollowInvoices(...of, overdue));

  it('is suspended while one is overdue', () => {
    const life = Life.opened();
    expect(follow(life, false)).toEqual([]);
    expect(follow(life, true)).toEqual(['AccountSuspended']);
    expect(follow(life, true)).toEqual([]);
    expect(life.account!.suspended).toBe('overdue');
    expect(follow(life, false)).toEqual(['AccountResumed']);
  });

  it('stays suspended for another reason', () => {
    const life = Life.opened();
    life.do(decideSuspend, new SuspendAccount(...of, 'abuse'));
    expect([follow(life, true), follow(life, false)]).toEqual([[], []]);
    expect(life.account!.suspended).toBe('abuse');
  });
});

describe('the keys of an account', () => {
  it('are named by their thumbprints, and have rows', () => {
    const life = Life.opened();
    life.do(decideAddKey, new AddSigningKey(...of, jwk(1), 'provider'));
    const key = keyIdOf(jwk(1));
    expect(life.account!.keys.get(key)).toEqual({ jwk: jwk(1), source: 'provider' });
    expect(life.last.attachments).toContainEqual({
      table: 'account_keys',
      row: {
        ...{ tenant: 'demo', key_id: key, customer: CUSTOMER, x: jwk(1).x, source: 'provider' },
        added_at: new Date(NOW),
      },
    });
    life.do(decideRevokeSigningKey, new RevokeSigningKey(...of, key));
    expect(life.last.removals).toEqual([{ table: 'account_keys', key: { tenant: 'demo', key_id: key } }]);
  });

  it('stay revoked', () => {
    const life = Life.opened();
    life.do(decideAddKey, new AddSigningKey(...of, jwk(1), 'provider'));
    life.do(decideRevokeSigningKey, new RevokeSigningKey(...of, keyIdOf(jwk(1))));
    const again = new AddSigningKey(...of, jwk(1), 'directory');
    expect(() => life.do(decideAddKey, again)).toThrow('was revoked and stays so');
  });

  it('are twenty at most, as are the wallets', () => {
    const life = Life.opened();
    for (let n = 0; n < ACCOUNT_KEYS_MAX; n++) life.do(decideAddKey, new AddSigningKey(...of, jwk(n), 'provider'));
    expect(() => life.do(decideAddKey, new AddSigningKey(...of, jwk(99), 'provider'))).toThrow('as many keys');
    for (let n = 0; n < ACCOUNT_WALLETS_MAX; n++) life.do(decideAttachWallet, new AttachWallet(...of, wallet(n)));
    expect(() => life.do(decideAttachWallet, new AttachWallet(...of, wallet(99)))).toThrow('20 wallets at most');
  });
});

describe('the key directory of an account', () => {
  const URL = 'https://agent.example.com/.well-known/http-message-signatures-directory';
  const read = (life: Life, ...jwks: readonly SigningJwk[]) =>
    life.do(decideTakeDirectoryKeys, new TakeDirectoryKeys(...of, URL, jwks));

  function withDirectory(): Life {
    const life = Life.opened();
    life.do(decideSetDirectory, new SetKeyDirectory(...of, { url: URL, allowPrivate: false }));
    return life;
  }

  it('adds what is new in it, and revokes for ever what is in it no more; keys of the provider stay', () => {
    const life = withDirectory();
    life.do(decideAddKey, new AddSigningKey(...of, jwk(9), 'provider'));
    expect(read(life, jwk(1), jwk(2))).toEqual(['SigningKeyAdded', 'SigningKeyAdded']);
    expect(life.last.attachments).toHaveLength(3);
    expect(life.last.attachments![0]).toMatchObject({ row: { revision: life.version, key_directory: URL } });
    expect(read(life, jwk(1), jwk(2))).toEqual([]);
    expect(read(life, jwk(2), jwk(3))).toEqual(['SigningKeyRevoked', 'SigningKeyAdded']);
    expect(life.last.removals).toEqual([{ table: 'account_keys', key: { tenant: 'demo', key_id: keyIdOf(jwk(1)) } }]);
    expect(read(life, jwk(1), jwk(2), jwk(3))).toEqual([]);
    expect([...life.account!.keys.keys()].sort()).toEqual([9, 2, 3].map((n) => keyIdOf(jwk(n))).sort());
  });

  it('gives no more keys than an account may have', () => {
    const many = Array.from({ length: ACCOUNT_KEYS_MAX + 1 }, (_, n) => jwk(n));
    expect(() => read(withDirectory(), ...many)).toThrow('as many keys');
  });

  it('gives nothing once the account has another one, or none', () => {
    const life = withDirectory();
    life.do(decideSetDirectory, new SetKeyDirectory(...of, { url: `${URL}/2`, allowPrivate: false }));
    expect(read(life, jwk(1))).toEqual([]);
    life.do(decideRemoveDirectory, new RemoveKeyDirectory(...of));
    expect(read(life, jwk(1))).toEqual([]);
    expect(life.do(decideRemoveDirectory, new RemoveKeyDirectory(...of))).toEqual([]);
  });
});
