import fc from 'fast-check';
import { parseList } from 'structured-headers';
import { rateLimitFields } from './rate-limit-fields.js';

describe('the fields of a 429', () => {
  it('read like the examples of the draft', () => {
    const hourly = { policy: 'perhr', quota: 1_000, remaining: 12, windowSeconds: 3_600, resetSeconds: 1_800 };
    const burst = { policy: 'permin', quota: 50, remaining: 0, windowSeconds: 60, resetSeconds: 29.2 };
    expect(rateLimitFields([burst, hourly])).toEqual({
      'ratelimit-policy': '"permin";q=50;w=60, "perhr";q=1000;w=3600',
      ratelimit: '"permin";r=0;t=30, "perhr";r=12;t=1800',
      'retry-after': '1800',
    });
  });

  it('name another unit, and say nothing of windows and resets that there are not', () => {
    const tokens = { policy: 'tokens', quota: 10n ** 30n, remaining: 0n, unit: 'tokens' };
    expect(rateLimitFields([tokens])).toEqual({
      'ratelimit-policy': '"tokens";q=999999999999999;qu="tokens"',
      ratelimit: '"tokens";r=0',
    });
  });

  it('never ask to come back at once, and are lists that an RFC 9651 parser reads', () => {
    const limit = fc.record({
      policy: fc.stringMatching(/^[a-z"\\ ]{1,20}$/),
      quota: fc.bigInt({ min: 0n, max: 10n ** 20n }),
      remaining: fc.bigInt({ min: 0n, max: 10n ** 20n }),
      windowSeconds: fc.integer({ min: 1, max: 10 ** 9 }),
      resetSeconds: fc.double({ min: 0, max: 10 ** 9, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(limit, { minLength: 1, maxLength: 4 }), (limits) => {
        const fields = rateLimitFields(limits);
        const named = limits.map(({ policy }) => policy);
        expect(parseList(fields['ratelimit-policy']!).map(([name]) => name)).toEqual(named);
        expect(parseList(fields.ratelimit!).map(([name]) => name)).toEqual(named);
        const latest = Math.max(...limits.map(({ resetSeconds }) => resetSeconds));
        expect(Number(fields['retry-after'])).toBeGreaterThanOrEqual(Math.max(1, latest));
      }),
    );
  });
});
