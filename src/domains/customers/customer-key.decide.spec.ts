import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import {
  decideIssueKey,
  decideRevokeKey,
  decideRotateKey,
  IssueKey,
  KEYS_MAX,
  RevokeKey,
  RotateKey,
} from './customer-key.decide.js';
import { type CustomerKeyEvent, type CustomerKeys, evolveCustomerKeys, noKeys } from './customer-key.js';
import { digestOf, newKey } from './key-text.js';

const PAYER = `0x${'ab'.repeat(20)}` as const;
const NOW = Date.UTC(2026, 0, 2);
const HOUR = 3_600_000;
const made = (id: string) => ({ id, digest: `digest of ${id}` });
const following = (keys: CustomerKeys, { events }: { readonly events: readonly object[] }) =>
  (events as readonly CustomerKeyEvent[]).reduce(evolveCustomerKeys, keys);
const withKey = (keys: CustomerKeys, id: string, expiresAt?: number) =>
  following(keys, decideIssueKey(keys, new IssueKey('demo', PAYER, made(id), { expiresAt }), NOW));

describe('a key', () => {
  it('is issued with its row, and says when it ends', () => {
    const decision = decideIssueKey(noKeys, new IssueKey('demo', PAYER, made('a'), { expiresAt: NOW + HOUR }), NOW);
    expect(following(noKeys, decision).get('a')).toMatchObject({ expiresAt: new Date(NOW + HOUR).toISOString() });
    expect(decision.attachments).toMatchObject([
      { row: { id: 'a', digest: 'digest of a', tenant: 'demo', payer: PAYER, expires_at: new Date(NOW + HOUR) } },
    ]);
  });

  it('cannot end before it begins', () => {
    expect(() => decideIssueKey(noKeys, new IssueKey('demo', PAYER, made('a'), { expiresAt: NOW }), NOW)).toThrow(
      'in the past',
    );
  });

  it('may be good for some routes only', () => {
    const command = new IssueKey('demo', PAYER, made('a'), { routes: ['weather', 'forecast', 'weather'] });
    const decision = decideIssueKey(noKeys, command, NOW);
    expect(following(noKeys, decision).get('a')).toMatchObject({ routes: ['forecast', 'weather'] });
    expect(decision.attachments).toMatchObject([{ row: { scope: { routes: ['forecast', 'weather'] } } }]);
  });

  it('is one of so many; those that have ended do not count', () => {
    let keys = noKeys;
    for (let n = 0; n < KEYS_MAX; n++) keys = withKey(keys, `k${n}`, NOW + HOUR);
    expect(() => withKey(keys, 'one more')).toThrow('as many keys');
    expect(decideIssueKey(keys, new IssueKey('demo', PAYER, made('later')), NOW + HOUR).events).toHaveLength(1);
  });
});

describe('a rotation', () => {
  it('gives a new key, and the old one an end', () => {
    const keys = withKey(noKeys, 'old');
    const decision = decideRotateKey(keys, new RotateKey('demo', PAYER, 'old', made('new'), HOUR), NOW);
    const rotated = following(keys, decision);
    expect([...rotated.keys()]).toEqual(['old', 'new']);
    expect(rotated.get('old')).toMatchObject({ expiresAt: new Date(NOW + HOUR).toISOString() });
    expect(decision.attachments).toMatchObject([
      { row: { id: 'new' } },
      { row: { id: 'old', digest: 'digest of old' } },
    ]);
  });

  it('keeps the scope', () => {
    const issue = new IssueKey('demo', PAYER, made('old'), { routes: ['weather'] });
    const keys = following(noKeys, decideIssueKey(noKeys, issue, NOW));
    const rotated = following(keys, decideRotateKey(keys, new RotateKey('demo', PAYER, 'old', made('new'), HOUR), NOW));
    expect(rotated.get('new')).toMatchObject({ routes: ['weather'] });
  });

  it('never makes a key last longer', () => {
    const keys = withKey(noKeys, 'old', NOW + HOUR);
    const { events } = decideRotateKey(keys, new RotateKey('demo', PAYER, 'old', made('new'), 2 * HOUR), NOW);
    expect(events.map(({ type }) => type)).toEqual(['CustomerKeyIssued']);
  });

  it('needs a key that is there', () => {
    const rotate = new RotateKey('demo', PAYER, 'gone', made('new'), HOUR);
    expect(() => decideRotateKey(noKeys, rotate, NOW)).toThrow('No such key');
  });
});

describe('a revocation', () => {
  it('takes the row away, once', () => {
    const keys = withKey(noKeys, 'a');
    const decision = decideRevokeKey(keys, new RevokeKey('demo', PAYER, 'a'));
    expect(decision.removals).toEqual([{ table: 'customer_keys', key: { id: 'a' } }]);
    expect(decideRevokeKey(following(keys, decision), new RevokeKey('demo', PAYER, 'a'))).toEqual({ events: [] });
  });
});

describe('the text of a key', () => {
  const secret = randomBytes(32);

  it('is found by its digest, which another secret does not give', () => {
    const { digest, id, key } = newKey(secret);
    expect(key).toMatch(/^tbk_[\w-]{40}$/);
    expect(id).toMatch(/^key_[0-9a-f]{16}$/);
    expect(digestOf(key, secret)).toBe(digest);
    expect(digestOf(key, randomBytes(32))).toBeUndefined();
    expect(digest).not.toContain(key.slice(4, 20));
  });

  it('is nothing that others can make', () => {
    const { key } = newKey(secret);
    for (let at = 0; at < key.length; at++) {
      const other = key.slice(0, at) + (key[at] === 'A' ? 'B' : 'A') + key.slice(at + 1);
      expect(digestOf(other, secret)).toBeUndefined();
    }
    fc.assert(fc.property(fc.string(), (text) => digestOf(text, secret) === undefined));
    fc.assert(fc.property(fc.stringMatching(/^tbk_[\w-]{40}$/), (text) => digestOf(text, secret) === undefined));
  });
});
