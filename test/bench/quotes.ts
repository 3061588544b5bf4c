/** Prices requests by a tariff of eight rules, one by one: `quotes.ts`. */

import { parseTariff } from '../../src/domains/pricing/check-tariff.js';
import { jsonOf, pricedRequest } from '../../src/domains/pricing/request/priced-request.js';
import { queryReader } from '../../src/domains/pricing/request/query-text.js';
import { price } from '../../src/domains/pricing/tariff.js';

export interface QuoteTimes {
  readonly rules: number;
  /** Microseconds a quote. */
  readonly median: number;
  readonly p99: number;
}

const WARM_UP = 20_000;
const QUOTES = 50_000;
const NS_PER_US = 1000;

const tokens = {
  source: 'text_tokens',
  pointer: '/prompt',
  charactersPerToken: 4,
  plus: { pointer: '/max_tokens', default: 64, maximum: 4096 },
} as const;
const plan = { in: 'header', name: 'x-plan' } as const;
const rules = {
  charges: [
    { model: 'flat', amount: '500' },
    {
      model: 'graduated',
      over: 'period',
      quantity: tokens,
      tiers: [{ upTo: 1000, amount: '20' }, { upTo: 100_000, amount: '15' }, { amount: '10' }],
    },
    { model: 'percentage', percent: '2.9', quantity: tokens, when: { is: 'equals', field: plan, value: 'pro' } },
  ],
  modifiers: [
    { kind: 'priority', permille: [2000, 1500, 1250, 1000, 900, 800, 700, 500] },
    { kind: 'volume', tiers: [{ upTo: 1000, permille: 1000 }, { permille: 900 }] },
    {
      kind: 'class',
      by: { in: 'query', name: 'quality' },
      classes: [
        { id: 'standard', permille: 1000 },
        { id: 'fast', permille: 2500 },
      ],
    },
    {
      kind: 'time_of_day',
      timeZone: 'Europe/Amsterdam',
      windows: [{ from: '08:00', to: '18:00', permille: 1200 }],
    },
    { kind: 'load', from: 500, to: 1000, permille: 3000 },
  ],
  minimum: '1',
  maximum: '100000000',
  period: 'month',
};
const tariff = parseTariff(rules);
const start = Date.parse('2026-11-25T00:00:00Z');

/** Every request has its own body, which is parsed within the time measured, and its own moment. */
function quote(n: number): number {
  const body = Buffer.from(
    JSON.stringify({ prompt: `Summarize chapter ${n} in a few sentences.`, max_tokens: n % 500 }),
  );
  const circumstances = { urgency: n % 8, at: start + n * 997, load: n % 1200, used: BigInt(n % 2000) };
  const headers: Record<string, string> = { 'x-plan': n % 2 === 0 ? 'pro' : 'free' };
  const request = {
    bytes: body.byteLength,
    json: jsonOf(body),
    header: (name: string) => headers[name],
    query: queryReader(n % 3 === 0 ? '?quality=fast' : ''),
    path: () => undefined,
  };
  const before = process.hrtime.bigint();
  price(tariff, pricedRequest(circumstances, { request }));
  return Number(process.hrtime.bigint() - before) / NS_PER_US;
}

for (let n = 0; n < WARM_UP; n++) quote(n);
const times = Float64Array.from({ length: QUOTES }, (_, n) => quote(n)).sort();
const count = rules.charges.length + rules.modifiers.length;
const result = { rules: count, median: times[QUOTES / 2]!, p99: times[Math.floor(QUOTES * 0.99)]! };
process.send?.(result satisfies QuoteTimes);
process.disconnect?.();
