import fc from 'fast-check';
import { canonicalExact, JsonFault, parseExactJson } from './exact-json.js';

const parse = (text: string) => parseExactJson(Buffer.from(text));
const again = (text: string) => canonicalExact(parse(text));

describe('exact JSON', () => {
  it.each([
    ['{"a":0.1}', '{"a":0.1}'],
    ['{"a": 0.10}', '{"a":0.10}'],
    ['{"b":12345678901234567890.000000000000000001,"a":1}', '{"a":1,"b":12345678901234567890.000000000000000001}'],
    ['[1.0, -0, 1e400]', '[1.0,-0,1e400]'],
    ['{"é" : "\\u00e9\\n"}', '{"é":"é\\n"}'],
    ['{"2":[ ],"1":{ },"x":[true , false,null]}', '{"1":{},"2":[],"x":[true,false,null]}'],
    [' "a" ', '"a"'],
  ])('keeps the digits of %s', (text, canonical) => {
    expect(again(text)).toBe(canonical);
  });

  it.each([
    ['{"a":1,"a":1}', /names "a" twice/],
    ['{"x":{"a":1, "\\u0061":2}}', /names "a" twice/],
    ['{"a":"\\u0000"}', /NUL/],
    ['{"\\ud800":1}', /surrogate/],
    ['{"__proto__":1}', /__proto__/],
    ['{"a":01}', /no JSON/],
    ['{"a":NaN}', /no JSON/],
    ['', /no JSON/],
    ['\ufeff{}', /no JSON/],
    [`${'['.repeat(40)} ${']'.repeat(40)}`, /deeper/],
    [`${'['.repeat(4_000_000)}${']'.repeat(4_000_000)}`, /deeper/],
  ])('refuses %.40s', (text, why) => {
    expect(() => again(text)).toThrow(JsonFault);
    expect(() => again(text)).toThrow(why);
  });

  it('refuses what is no UTF-8', () => {
    expect(() => parseExactJson(Buffer.from([0x22, 0xff, 0x22]))).toThrow(JsonFault);
  });

  it('reads every JSON alike, however it is spaced', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.integer({ min: 0, max: 2 }), (value, space) => {
        fc.pre(!JSON.stringify(value).includes('__proto__'));
        const compact = JSON.stringify(value);
        expect(again(JSON.stringify(value, null, space))).toBe(again(compact));
        expect(JSON.parse(again(compact))).toEqual(JSON.parse(compact));
      }),
    );
  });
});
