import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { type Described, described } from '../../../test/support/priced.js';
import type { JsonObject } from '../../base/shared/json.js';
import type { PaymentAuthorized } from '../payments/payment.js';
import { parseTariff } from '../pricing/check-tariff.js';
import { price } from '../pricing/tariff.js';
import type { TariffRules } from '../pricing/tariff.schemas.js';
import { Simulation } from './simulation.js';
import { deliveredRequest } from './simulation.queries.js';

const ASSET = 'eip155:84532/erc20:0xaa';
const rows = { source: 'field', field: { in: 'query', name: 'rows' }, default: 5, maximum: 100 } as const;
const rules: TariffRules = {
  charges: [
    { model: 'flat', amount: '50', when: { is: 'equals', field: { in: 'header', name: 'x-plan' }, value: 'pro' } },
    { model: 'graduated', quantity: rows, tiers: [{ upTo: 20, amount: '10' }, { amount: '5' }], over: 'period' },
  ],
  modifiers: [
    { kind: 'priority', permille: [2000, 1500, 1000, 1000, 1000, 1000, 900, 800] },
    { kind: 'load', from: 500, to: 1000, permille: 3000 },
    { kind: 'time_of_day', timeZone: 'Europe/Amsterdam', windows: [{ from: '08:00', to: '18:00', permille: 1200 }] },
    {
      kind: 'class',
      by: { in: 'query', name: 'quality' },
      classes: [
        { id: 'standard', permille: 1000 },
        { id: 'fast', permille: 2500 },
      ],
    },
  ],
  minimum: '1',
  period: 'month',
};
const tariff = parseTariff(rules);

/** What the log keeps of a paid request. */
function paid(request: Described, under = tariff, payer = '0x11', route = 'query'): PaymentAuthorized['data'] {
  const live = described(request);
  const { amount, class: chosen, inputs, units } = price(under, live);
  const { at, load, urgency, used } = live;
  return {
    tenant: 'demo',
    route,
    terms: { network: 'eip155:84532', asset: '0xaa', payer, amount: `${amount}` },
    tariff: { id: 'query', version: 1 },
    units: `${units}`,
    urgency,
    class: chosen,
    inputs: { at: `${at}`, load: `${load}`, used: `${used}`, request_bytes: '0', ...inputs },
  } as unknown as PaymentAuthorized['data'];
}

const payment = (data: PaymentAuthorized['data']) => ({
  type: 'PaymentAuthorized',
  data: data as unknown as JsonObject,
});

const DAY = new Date('2026-11-25T12:00:00Z');

function simulate(under: TariffRules, payments: readonly PaymentAuthorized['data'][], at = DAY, actual = tariff) {
  const simulation = new Simulation(parseTariff(under), (id, version) =>
    id === 'query' && version === 1 ? actual : undefined,
  );
  for (const data of payments) simulation.add(deliveredRequest(payment(data)), at);
  return simulation.result();
}

const request = fc.record({
  query: fc.constantFrom('', '?rows=3', '?rows=90&quality=fast', '?rows=x', '?rows=1&rows=2', '?quality=none'),
  headers: fc.constantFrom<Described['headers']>({}, { 'x-plan': 'pro' }, { 'x-plan': ['pro', 'free'] }),
  priority: fc.constantFrom(undefined, 'u=0', 'u=7'),
  load: fc.nat(1500),
  used: fc.bigInt({ min: 0n, max: 200n }),
  at: fc.constantFrom('2026-11-25T06:59:00Z', '2026-11-25T12:00:00Z', '2026-07-01T16:30:00Z'),
});

describe('a simulation', () => {
  it('under the tariff that was paid gives what was paid, to the atomic unit', () => {
    fc.assert(
      fc.property(fc.array(request, { minLength: 1, maxLength: 10 }), (requests) => {
        const { notRepriced, rows: result } = simulate(
          rules,
          requests.map((one) => paid(one)),
        );
        expect(notRepriced).toEqual([]);
        expect(result).toHaveLength(1);
        expect(result[0]!.simulated).toBe(result[0]!.actual);
        expect(result[0]!.requests).toBe(`${requests.length}`);
      }),
    );
  });

  it('gives revenue by day, route, customer and asset, in their order', () => {
    const payments = [paid({}, tariff, '0x22'), paid({}, tariff, '0x11'), paid({}, tariff, '0x11', 'a')];
    const { rows: result } = simulate({ charges: [{ model: 'flat', amount: '7' }] }, payments);
    expect(result).toEqual([
      { day: '2026-11-25', route: 'a', payer: '0x11', asset: ASSET, requests: '1', actual: '60', simulated: '7' },
      { day: '2026-11-25', route: 'query', payer: '0x11', asset: ASSET, requests: '1', actual: '60', simulated: '7' },
      { day: '2026-11-25', route: 'query', payer: '0x22', asset: ASSET, requests: '1', actual: '60', simulated: '7' },
    ]);
  });

  it('does not depend on the order of the requests', () => {
    const payments = ['?rows=1', '?rows=2', '?rows=50'].map((query) => paid({ query }));
    const dearer: TariffRules = { ...rules, minimum: '90' };
    expect(simulate(dearer, payments)).toEqual(simulate(dearer, payments.toReversed()));
  });

  it('leaves out and counts what it cannot price, by the input that is missing, and guesses nothing', () => {
    const old = { ...paid({}), inputs: undefined, urgency: undefined } as unknown as PaymentAuthorized['data'];
    const byName: TariffRules = { charges: [{ model: 'per_unit', quantity: rows, amount: '1', per: 1 }], minimum: '0' };
    const bySize: TariffRules = {
      charges: [{ model: 'per_unit', quantity: { source: 'request_bytes' }, amount: '1', per: 1 }],
      minimum: '0',
    };
    const left = (input: string, requests: string) => [
      { input, asset: ASSET, requests, actual: `${60 * Number(requests)}` },
    ];
    expect(simulate(byName, [old, paid({})])).toMatchObject({
      notRepriced: left('request_number:query:rows', '1'),
      rows: [{ requests: '1', simulated: '5', actual: '60' }],
    });
    expect(simulate(bySize, [old, old]).notRepriced).toEqual(left('request_bytes', '2'));
    const urgent: TariffRules = { charges: [{ model: 'flat', amount: '9' }], modifiers: [rules.modifiers![0]!] };
    expect(simulate(urgent, [old]).notRepriced).toEqual(left('urgency', '1'));
  });

  it('takes recorded usage only where it was counted in the same units and period', () => {
    const daily: TariffRules = { ...rules, period: 'day' };
    expect(simulate(daily, [paid({ used: 30n })]).notRepriced).toMatchObject([{ input: 'used', requests: '1' }]);
    const unknown = { ...paid({ used: 30n }), tariff: { id: 'gone', version: 9 } };
    expect(simulate(rules, [unknown]).notRepriced).toMatchObject([{ input: 'used' }]);
  });

  it('counts the maximum of a response, as the payment did', () => {
    const seconds: TariffRules = {
      charges: [{ model: 'per_unit', quantity: { source: 'response_seconds', maximum: 9 }, amount: '2', per: 1 }],
    };
    expect(simulate(seconds, [paid({})]).rows).toMatchObject([{ simulated: '18' }]);
  });

  it('says apart what free requests would have cost, since they bring nothing under any tariff', () => {
    const { terms, ...same } = paid({ query: '?rows=3' });
    const { network, asset, payer } = terms;
    const free = { type: 'FreeRequestGranted', data: { ...same, network, asset, payer } as unknown as JsonObject };
    const simulation = new Simulation(tariff, () => tariff);
    for (const event of [free, free, payment(paid({ query: '?rows=3' }))]) simulation.add(deliveredRequest(event), DAY);
    const { free: forgone, rows: result } = simulation.result();
    const row = { day: '2026-11-25', route: 'query', payer, asset: ASSET };
    expect(forgone).toEqual([{ ...row, requests: '2', actual: '0', simulated: `${2 * Number(terms.amount)}` }]);
    expect(result).toEqual([{ ...row, requests: '1', actual: terms.amount, simulated: terms.amount }]);
  });

  it('has the same bytes every time', () => {
    const payments = Array.from({ length: 200 }, (_, n) => paid({ query: `?rows=${n % 40}` }, tariff, `0x${n % 7}`));
    const digest = () =>
      createHash('sha256')
        .update(JSON.stringify(simulate(rules, payments)))
        .digest('hex');
    expect(digest()).toBe(digest());
  });
});
