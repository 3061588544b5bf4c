import type { Pool } from 'pg';
import { HoldsRefused } from '../../base/event-store/unit-of-work.js';
import type { Address } from '../../base/shared/hex.js';
import type { Problem } from '../../base/shared/problem.js';
import { LimitBook } from '../../domains/limits/limit-book.js';
import { LimitDesk } from './limit-desk.js';

const NOW = Date.parse('2026-11-25T12:00Z');
const PAYER: Address = `0x${'a'.repeat(40)}`;
const HOUR = { kind: 'calendar', unit: 'hour', timeZone: 'UTC' };
const IN_AN_HOUR = NOW + 3_600_000;
const request = {
  tenant: { id: 'demo', network: 'eip155:84532', asset: `0x${'c'.repeat(40)}` },
  ...{ route: 'weather', payer: PAYER, units: 7n, amount: 500n },
} as const;

const bookOf = (rules: Record<string, object>) =>
  new LimitBook(Object.entries(rules).map(([id, one]) => ({ tenant: 'demo', id, rules: one })));
const withdrawn = bookOf({});

/** What somebody is told whose request was refused by all limits of a book, by which time `now` is in force. */
function refusal(decided: LimitBook, until: number | undefined, now = decided): Problem {
  const desk = new LimitDesk(
    () => now,
    {} as Pool,
    () => NOW,
  );
  const refused = decided
    .quotasOf(request, NOW)
    .map((hold) => ({ request: hold, held: hold.limit!, slots: undefined }));
  const problem = desk.refusalOf(new HoldsRefused(refused), until);
  if (problem === 'price_above_limit') throw new Error(problem);
  return problem;
}

describe('who runs into a limit', () => {
  const used = bookOf({ few: { measure: 'requests', per: 'payer', quantity: '3', window: HOUR } });
  const spent = bookOf({ money: { measure: 'amount', per: 'payer', quantity: '900', window: HOUR } });

  it('is told to present the same payment again, if it lasts until there is more', () => {
    const { code, detail, headers, violatedPolicies } = refusal(used, IN_AN_HOUR);
    expect([code, detail, violatedPolicies]).toEqual([
      'quota_exceeded',
      'Present the same payment again when Retry-After is over',
      ['few'],
    ]);
    expect(headers).toMatchObject({ 'retry-after': '3600', ratelimit: '"few";r=0;t=3600' });
  });

  it('is told to come back for a new offer, if the payment lapses before', () => {
    const { code, detail, headers } = refusal(spent, IN_AN_HOUR - 1);
    expect([code, headers['retry-after']]).toEqual(['spending_limit_reached', '3600']);
    expect(detail).toBe('This payment lapses before there is more: come back without it, for a new offer');
  });

  it('is told to ask again, if it did not pay', () => {
    expect(refusal(used, undefined)).toMatchObject({
      ...{ code: 'quota_exceeded', detail: 'Ask again when Retry-After is over' },
      headers: { 'retry-after': '3600' },
    });
  });

  it('is told that no time helps, if the request is larger than the limit', () => {
    const small = bookOf({ small: { measure: 'units', per: 'payer', quantity: '6', window: HOUR } });
    const { code, detail, headers } = refusal(small, IN_AN_HOUR);
    expect([code, headers['retry-after']]).toEqual(['quota_exceeded', undefined]);
    expect(detail).toBe('This request asks for more than the quota ever allows');
  });

  it.each([
    ['quota_exceeded', used],
    ['spending_limit_reached', spent],
  ])('is told the same code %s, and to try again at once, if the limit was withdrawn meanwhile', (code, decided) => {
    const told = refusal(decided, IN_AN_HOUR, withdrawn);
    expect([told.code, told.headers]).toEqual([code, { 'retry-after': '1' }]);
    expect(told.detail).toBe('Present the same payment again when Retry-After is over');
  });
});
