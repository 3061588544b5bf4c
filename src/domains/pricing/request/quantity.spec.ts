import fc from 'fast-check';
import { type Described, priceOf } from '../../../../test/support/priced.js';
import type { TariffRules } from '../tariff.schemas.js';

const counting = (quantity: object): TariffRules => ({
  charges: [{ model: 'per_unit', amount: '1', per: 1, quantity } as TariffRules['charges'][number]],
  minimum: '0',
});
const unitsOf = (quantity: object, request: Described) => priceOf(counting(quantity), request).units;

describe('items of an array', () => {
  const items = { source: 'items', pointer: '/rows', default: 2 };

  it.each([
    ['{"rows":[1,2,3]}', 3n],
    ['{"rows":[]}', 0n],
    ['{}', 2n],
    ['{"rows":null}', 2n],
    ['{"rows":{"0":1}}', 16n],
    ['{"rows":"1,2,3,4"}', 18n],
    ['[1,2,3,4]', 2n],
    ['rows', 4n],
    ['', 2n],
  ])('of %s', (body, units) => {
    expect(unitsOf(items, { body })).toBe(units);
  });

  it('are never more than an unreadable body of the same length counts', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: 20 }), (rows) => {
        const body = JSON.stringify({ rows });
        const broken = `${body.slice(0, -1)}!`;
        expect(unitsOf(items, { body: broken })).toBeGreaterThanOrEqual(unitsOf(items, { body }));
      }),
    );
  });
});

describe('a stated number', () => {
  const inQuery = { source: 'field', field: { in: 'query', name: 'limit' }, default: 10, maximum: 100 };
  const inHeader = { ...inQuery, field: { in: 'header', name: 'x-limit' } };
  const inPath = { ...inQuery, field: { in: 'path', name: 'limit' } };
  const inBody = { ...inQuery, field: { in: 'body', pointer: '/limit' } };

  it.each([
    [undefined, 10n],
    ['25', 25n],
    ['0', 0n],
    ['101', 100n],
    ['-1', 100n],
    ['1e1', 100n],
    ['0x1', 100n],
    ['007', 100n],
    ['', 100n],
    [' 5', 100n],
    ['2.1', 3n],
    ['９', 100n],
  ])('is %s in a header, a path and a query', (text, units) => {
    expect(unitsOf(inHeader, text === undefined ? {} : { headers: { 'x-limit': text } })).toBe(units);
    expect(unitsOf(inPath, text === undefined ? {} : { path: { limit: text } })).toBe(units);
    expect(unitsOf(inQuery, text === undefined ? {} : { query: `?limit=${encodeURIComponent(text)}` })).toBe(units);
  });

  it('that stands there twice counts as the maximum', () => {
    expect(unitsOf(inQuery, { query: '?limit=1&limit=2' })).toBe(100n);
    expect(unitsOf(inHeader, { headers: { 'x-limit': ['1', '2'] } })).toBe(100n);
  });

  it.each([
    ['{"limit":25}', 25n],
    ['{"limit":"25"}', 100n],
    ['{"limit":2.5}', 100n],
    ['{"limit":1e300}', 100n],
    ['{"limit":[1]}', 100n],
    ['{"limit":null}', 10n],
    ['{}', 10n],
    ['{', 100n],
  ])('is read from %s', (body, units) => {
    expect(unitsOf(inBody, { body })).toBe(units);
  });

  it.each([
    ['{"limit":0.25}', 25n],
    ['{"limit":"0.25"}', 25n],
    ['{"limit":"0.251"}', 26n],
    ['{"limit":"0.3"}', 30n],
    ['{"limit":"x"}', 100n],
  ])('with two decimals is %s', (body, units) => {
    expect(unitsOf({ ...inBody, decimals: 2 }, { body })).toBe(units);
  });

  it('is never cheaper for being unreadable', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(200), (text, n) => {
        const unreadable = unitsOf(inBody, { body: `!${text}` });
        expect(unreadable).toBeGreaterThanOrEqual(unitsOf(inBody, { body: `{"limit":${n}}` }));
      }),
    );
  });
});

describe('what the response says', () => {
  const rows = '{"rows":[1,2,3],"usage":{"total_tokens":77}}';
  const kinds: [string, object, Described['response'], bigint][] = [
    ['bytes', { source: 'response_bytes', maximum: 1000 }, { body: rows }, BigInt(rows.length)],
    ['rows', { source: 'response_items', pointer: '/rows', maximum: 1000 }, { body: rows }, 3n],
    ['started seconds', { source: 'response_seconds', maximum: 1000 }, { milliseconds: 2001 }, 3n],
    [
      'tokens in its body',
      { source: 'response_field', field: { in: 'body', pointer: '/usage/total_tokens' }, maximum: 1000 },
      { body: rows },
      77n,
    ],
    [
      'tokens in a header',
      { source: 'response_field', field: { in: 'header', name: 'x-tokens' }, maximum: 1000, decimals: 0 },
      { headers: { 'x-tokens': '12' } },
      12n,
    ],
  ];

  it.each(kinds)('counts %s, and the maximum before it is there', (_kind, quantity, response, units) => {
    expect(unitsOf(quantity, {})).toBe(1000n);
    expect(unitsOf(quantity, { response })).toBe(units);
  });

  it.each(kinds)('counts %s up to the maximum', (_kind, quantity, response) => {
    expect(unitsOf({ ...quantity, maximum: 2 }, { response })).toBe(2n);
  });

  it.each(kinds.filter(([kind]) => !/bytes|seconds/.test(kind)))(
    'counts %s as the maximum if it is unreadable',
    (_kind, quantity) => {
      expect(unitsOf(quantity, { response: { body: '<html>' } })).toBe(1000n);
    },
  );
});

describe('units', () => {
  it('count a quantity once, however many charges it has', () => {
    const quantity = { source: 'request_bytes' as const };
    const charge = { model: 'per_unit' as const, amount: '1', per: 1, quantity };
    const declared = { ...charge, quantity: { source: 'declared' as const, units: 100 } };
    const rules: TariffRules = { charges: [charge, { ...charge, amount: '5' }, declared] };
    expect(priceOf(rules, { body: 'seven b' }).units).toBe(107n);
  });

  it('come with the numbers that they were found in, by name', () => {
    const plus = { pointer: '/max_tokens', default: 64, maximum: 100 };
    const quantity = { source: 'text_tokens', pointer: '/prompt', charactersPerToken: 4, plus };
    expect(priceOf(counting(quantity), { body: '{"prompt":"12345","max_tokens":7}' }).inputs).toEqual({
      'request_characters:/prompt': '5',
      'request_number:body:/max_tokens': '7',
    });
  });
});
