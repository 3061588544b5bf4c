import { parseExactJson } from '../../base/shared/exact-json.js';
import { EVENT_MAX, readUsageEvent, type UsageEvent } from './cloud-event.js';

const base = {
  specversion: '1.0',
  id: 'e-1',
  source: '/gpu/7',
  type: 'completion',
  subject: 'cus_1',
  time: '2026-11-25T04:00:00Z',
};
const read = (change: object, text = JSON.stringify({ ...base, ...change })) =>
  readUsageEvent(parseExactJson(Buffer.from(text)));
const textOf = (change: object) => (read(change) as UsageEvent).text;

describe('a usage event', () => {
  it('is read with its time in UTC to the microsecond', () => {
    expect(read({ time: '2026-11-25T23:59:59.9999999-02:00', data: { a: 1 } })).toMatchObject({
      ...{ source: '/gpu/7', id: 'e-1', type: 'completion', customer: 'cus_1', replaces: undefined, data: { a: 1 } },
      ...{ at: '2026-11-26T01:59:59.999999Z', time: Date.parse('2026-11-26T01:59:59.999Z') },
    });
  });

  it('is read at a time without fraction, in UTC or not, and on leap days', () => {
    const at = (time: string) => (read({ time }) as UsageEvent).at;
    expect(at('2028-02-29T00:00:00Z')).toBe('2028-02-29T00:00:00.000000Z');
    expect(at('2028-02-29T00:00:00.12+00:01')).toBe('2028-02-28T23:59:00.120000Z');
  });

  it('is the same in every mode: whatever the order, null, type of an extension and name of the data type', () => {
    const text = textOf({ data: { n: 1 }, region: '7', flag: 'true' });
    expect(textOf({ flag: true, data: { n: 1 }, region: 7, dataschema: null })).toBe(text);
    expect(textOf({ region: 7, flag: true, datacontenttype: 'application/json; charset=utf-8', data: { n: 1 } })).toBe(
      text,
    );
    expect(textOf({ data: { n: 2 }, region: '7', flag: 'true' })).not.toBe(text);
  });

  it('keeps the digits of its data', () => {
    const text = `{"data":{"n": 12345678901234567890.10},${JSON.stringify(base).slice(1)}`;
    expect(read({}, text)).toMatchObject({ text: expect.stringContaining('"data":{"n":12345678901234567890.10}') });
  });

  it('may take the place of another one', () => {
    expect(read({ replaces: 'e 0' })).toMatchObject({ replaces: '/gpu/7 e 0' });
    expect(read({ replaces: 'e-0', replacessource: 'urn:x' })).toMatchObject({ replaces: 'urn:x e-0' });
  });

  it.each([
    [{ specversion: '0.3' }, ['specversion']],
    [{ id: '' }, ['id']],
    [{ id: 'a\nb' }, ['id']],
    [{ id: 7 }, ['id']],
    [{ source: 'a b' }, ['source']],
    [{ source: '%zz' }, ['source']],
    [{ subject: undefined }, ['subject']],
    [{ subject: 'cus 1' }, ['subject']],
    [{ time: undefined }, ['time']],
    [{ time: '2026-11-25T04:00:00' }, ['time']],
    [{ time: '2026-02-30T04:00:00Z' }, ['time']],
    [{ time: '1969-12-31T00:00:00Z' }, ['time']],
    [{ datacontenttype: 'text/plain' }, ['datacontenttype']],
    [{ data_base64: 'AA==' }, ['data_base64']],
    [{ 'with-dash': 'x' }, ['with-dash']],
    [{ Upper: 'x' }, ['Upper']],
    [{ nested: {} }, ['nested']],
    [{ half: 0.5 }, ['half']],
    [{ type: 'tollbook.usage.voided' }, ['replaces']],
    [{ data: 'x'.repeat(EVENT_MAX) }, []],
    [{ data: JSON.parse(`${'['.repeat(40)}${']'.repeat(40)}`) }, ['data']],
    [{ time: '2026-06-31T04:00:00Z' }, ['time']],
    [{ time: '9999-01-01T00:00:00Z' }, ['time']],
  ])('is not %j', (change, path) => {
    expect(read(change)).toEqual({ path, detail: expect.any(String) });
  });

  it.each([null, 'text', 7, []])('is no %j', (sent) => {
    expect(readUsageEvent(sent)).toEqual({ path: [], detail: 'must be an object' });
  });
});
