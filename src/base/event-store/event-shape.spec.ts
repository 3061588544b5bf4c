import { z } from 'zod';
import { shapeChecker, shapeOf } from './event-shape.js';

interface Opened {
  readonly type: 'Opened';
  readonly schema: 1;
  readonly data: { readonly names: readonly string[]; readonly size?: number };
}
const data = z.strictObject({ names: z.array(z.string()), size: z.int().optional() });
const opened = shapeOf<Opened>()({ type: 'Opened', schema: 1, stream: 'box/{tenant}/{box}', when: 'Once.', data });
const check = shapeChecker([opened]);
const event = { type: 'Opened', schema: 1, stream: 'box/demo/1', data: { names: ['a'] } };

describe('the shape of an event', () => {
  it('is the same as its type, or does not compile', () => {
    const about = { type: 'Opened', schema: 1, stream: 's', when: 'w' } as const;
    // @ts-expect-error `size` may be absent
    shapeOf<Opened>()({ ...about, data: z.strictObject({ names: z.array(z.string()), size: z.int() }) });
    // @ts-expect-error `size` is missing
    shapeOf<Opened>()({ ...about, data: z.strictObject({ names: z.array(z.string()) }) });
    expect(opened.data).toBe(data);
  });

  it('is fitted with and without what is optional', () => {
    expect(check(event)).toBeUndefined();
    expect(check({ ...event, data: { names: [], size: 3 } })).toBeUndefined();
  });

  it.each([
    ['an unknown field', { data: { names: [], extra: 'secret' } }, 'Opened: data (unrecognized_keys)'],
    ['a missing field', { data: {} }, 'Opened: names (invalid_type)'],
    ['another value', { data: { names: ['a', 7] } }, 'Opened: names.1 (invalid_type)'],
    ['another stream', { stream: 'box/demo/1/2' }, 'Opened does not belong into stream box/demo/1/2'],
    ['another version', { schema: 2 }, 'Opened has no shape in schema version 2'],
    ['another type', { type: 'Closed' }, 'Closed has no shape in schema version 1'],
  ])('is not fitted by %s, and values are not told', (_what, change, problem) => {
    expect(check({ ...event, ...change })).toBe(problem);
  });
});

it('is declared once', () => {
  expect(() => shapeChecker([opened, opened])).toThrow('two shapes');
});
