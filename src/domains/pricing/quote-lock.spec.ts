import { createHmac, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import type { Address } from '../../base/shared/hex.js';
import { QuoteLock, type QuoteTerms, quoteExpiry } from './quote-lock.js';
import { requestDigest } from './request-digest.js';

const NOW = 1_790_000_000_123;
const body = Buffer.from('{"query":"select 1"}');
const quote: QuoteTerms = {
  tenant: 'demo',
  route: 'query',
  method: 'POST',
  requestDigest: requestDigest('POST', '/demo/query', 'a=1', body),
  urgency: 3,
  amount: 700n,
  asset: `0x${'a1'.repeat(20)}`,
  network: 'eip155:84532',
  payee: `0x${'b2'.repeat(20)}`,
  class: 'fast',
  seen: 'a digest',
};
const PAYER = `0x${'c4'.repeat(20)}` as const;
const validity = { tariff: 'query', tariffVersion: 3, lifetimeSeconds: 60 };
const key = (id: string) => ({ id, secret: createHmac('sha256', id).digest() });
const lock = new QuoteLock([key('k1')]);
const issue = (terms: QuoteTerms = quote) => lock.issue(terms, validity, NOW, randomBytes(16));

describe('QuoteLock', () => {
  it('honours its own quote until the second it expires', () => {
    const token = issue();
    const verdict = lock.check(token, quote, NOW);
    expect(verdict).toEqual({
      ok: true,
      quoteId: expect.stringMatching(/^[\w-]{22}$/),
      tariff: 'query',
      tariffVersion: 3,
      expiresAt: quoteExpiry(NOW, validity.lifetimeSeconds),
    });
    const end = quoteExpiry(NOW, validity.lifetimeSeconds) * 1000;
    expect(lock.check(token, quote, end + 999)).toEqual(verdict);
    expect(lock.check(token, quote, end + 1000)).toEqual({ ok: false, reason: 'quote_expired' });
  });

  it('is short, and tells the quotes of one moment apart', () => {
    expect(issue()).toMatch(/^k1\.[\w-]{68}\.query$/);
    expect(issue()).not.toBe(issue());
  });

  it('refuses every other character at every place, and every other length', () => {
    const token = issue();
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ';
    for (let index = 0; index < token.length; index++) {
      for (const character of alphabet) {
        if (character === token[index]) continue;
        const forged = token.slice(0, index) + character + token.slice(index + 1);
        expect(lock.check(forged, quote, NOW).ok).toBe(false);
      }
      expect(lock.check(token.slice(0, index), quote, NOW)).toEqual({ ok: false, reason: 'quote_invalid' });
    }
    for (const forged of [`${token}A`, ` ${token}`, `${token}\n`, `${token}=`, '', '.', `${token}${token}`]) {
      expect(lock.check(forged, quote, NOW)).toEqual({ ok: false, reason: 'quote_invalid' });
    }
  });

  it.each([
    ['tenant', { tenant: 'demo2' }],
    ['route', { route: 'weather' }],
    ['method', { method: 'PUT' }],
    ['urgency', { urgency: 2 }],
    ['amount', { amount: 699n }],
    ['asset', { asset: `0x${'a2'.repeat(20)}` }],
    ['network', { network: 'eip155:8453' }],
    ['payee', { payee: `0x${'b3'.repeat(20)}` }],
    ['class', { class: 'slow' }],
    ['no class', { class: undefined }],
    ['circumstance', { seen: 'another digest' }],
    ['no circumstance', { seen: undefined }],
    ['a shift between neighbours', { tenant: 'demoq', route: 'uery' }],
  ] as [string, Partial<QuoteTerms>][])('refuses another %s', (_, change) => {
    expect(lock.check(issue(), { ...quote, ...change }, NOW)).toEqual({ ok: false, reason: 'quote_invalid' });
  });

  it('refuses its own token with the name of another tariff in it', () => {
    expect(lock.check(issue().replace(/query$/, 'quern'), quote, NOW)).toEqual({ ok: false, reason: 'quote_invalid' });
  });

  it('names another request as the reason', () => {
    const other = { ...quote, requestDigest: requestDigest('POST', '/demo/query', 'a=2', body) };
    expect(lock.check(issue(), other, NOW)).toEqual({ ok: false, reason: 'quote_for_another_request' });
  });

  it('refuses another request even where the digests begin alike', () => {
    const other = { ...quote, requestDigest: `${quote.requestDigest.slice(0, 30)}${'A'.repeat(13)}` };
    expect(lock.check(issue(), other, NOW)).toEqual({ ok: false, reason: 'quote_invalid' });
  });

  it('lets anybody pay who was not named', () => {
    expect(lock.check(issue(), { ...quote, payer: PAYER }, NOW).ok).toBe(true);
  });

  it('is for a named payer alone, and says so', () => {
    const token = issue({ ...quote, payer: PAYER });
    const refused = { ok: false, reason: 'quote_for_another_payer' };
    expect(lock.check(token, { ...quote, payer: PAYER }, NOW).ok).toBe(true);
    expect(lock.check(token, quote, NOW)).toEqual(refused);
    expect(lock.check(token, { ...quote, payer: `0x${'c5'.repeat(20)}` }, NOW)).toEqual(refused);
  });

  it('refuses another payer even where the addresses begin alike, and a name that was cut off or put on', () => {
    const payer = `${PAYER.slice(0, 12)}${'00'.repeat(15)}` as Address;
    const named = issue({ ...quote, payer: PAYER });
    expect(lock.check(named, { ...quote, payer }, NOW)).toEqual({ ok: false, reason: 'quote_invalid' });
    expect(lock.check(named.replace(/~.{10}/, ''), { ...quote, payer: PAYER }, NOW).ok).toBe(false);
    const put = issue().replace(/.{24}$/, (mac) => `~${PAYER.slice(0, 10)}${mac}`);
    expect(lock.check(put, { ...quote, payer: PAYER }, NOW)).toEqual({ ok: false, reason: 'quote_invalid' });
  });

  it('signs with the newest key and honours the older ones while they are kept', () => {
    const token = issue();
    const rotated = new QuoteLock([key('k2'), key('k1')]);
    expect(rotated.issue(quote, validity, NOW, randomBytes(16))).toMatch(/^k2\./);
    expect(rotated.check(token, quote, NOW).ok).toBe(true);
    expect(new QuoteLock([key('k2')]).check(token, quote, NOW)).toEqual({ ok: false, reason: 'quote_invalid' });
    const sameIdOtherSecret = new QuoteLock([{ ...key('k2'), id: 'k1' }]);
    expect(sameIdOtherSecret.check(token, quote, NOW)).toEqual({ ok: false, reason: 'quote_invalid' });
  });

  it('does not start with weak keys', () => {
    expect(() => new QuoteLock([])).toThrow();
    expect(() => new QuoteLock([key('k1'), key('k1')])).toThrow();
    expect(() => new QuoteLock([{ id: 'k1', secret: Buffer.alloc(31) }])).toThrow('32 bytes');
    expect(() => new QuoteLock([{ ...key('k1'), id: 'a.b' }])).toThrow('key id');
    expect(() => lock.issue(quote, validity, NOW, randomBytes(15))).toThrow(RangeError);
  });

  it('answers any text without throwing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => !lock.check(text, quote, NOW).ok),
      { numRuns: 2000 },
    );
  });
});

describe('requestDigest', () => {
  const part = fc.string({ maxLength: 4, unit: fc.constantFrom('a', '1', ':', '?') });
  const request = fc.tuple(part, part, part, part);
  const digest = ([method, path, query, text]: readonly [string, string, string, string]) =>
    requestDigest(method, path, query, Buffer.from(text));

  it('is one for each request', () => {
    fc.assert(
      fc.property(request, request, (a, b) => (digest(a) === digest(b)) === (JSON.stringify(a) === JSON.stringify(b))),
      { numRuns: 5000 },
    );
    expect(digest(['GET', '/ab', '', ''])).not.toBe(digest(['GET', '/a', 'b', '']));
  });
});
