import type { FastifyRequest } from 'fastify';
import { idempotencyKeyOf, keyedRequest } from './idempotency-key.js';

function keyOf(field: string | undefined): string | undefined {
  return idempotencyKeyOf({ headers: { 'idempotency-key': field } });
}

const asked = {
  method: 'PUT',
  url: '/admin/v1/routes/demo/weather?a=1',
  headers: { authorization: 'Bearer one', 'if-match': '"1"' },
  body: { a: 1, b: { c: 'd' } },
};
const keyed = (change: object) => keyedRequest({ ...asked, ...change } as unknown as FastifyRequest, 'k');

describe('Idempotency-Key', () => {
  it.each([
    ['"8e03978e-40d5-43dd-bc93-6894a57f9324"', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
    ['8e03978e-40d5-43dd-bc93-6894a57f9324', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
    ['12345', '12345'],
    ['"12345"', '12345'],
    ['"a key, with blanks"', 'a key, with blanks'],
    ['"say \\"hi\\""', 'say "hi"'],
    ['"a";param=1', 'a'],
  ])('%s is the key %s', (field, key) => {
    expect(keyOf(field)).toBe(key);
  });

  it('may be left away', () => {
    expect(keyOf(undefined)).toBeUndefined();
  });

  it.each(['', '""', '"', '"a', 'a b', 'a, b', '"a", "b"', `"${'x'.repeat(256)}"`, 'x'.repeat(256), '"ü"', 'ü'])(
    '%s is refused',
    (field) => {
      expect(() => keyOf(field)).toThrow(expect.objectContaining({ code: 'idempotency_key_invalid' }));
    },
  );
});

describe('a request with a key', () => {
  it.each([
    ['the order of its members', { body: { b: { c: 'd' }, a: 1 } }],
    ['what else is in its header', { headers: { ...asked.headers, 'user-agent': 'x' } }],
  ])('is the same whatever %s', (_what, change) => {
    expect(keyed(change)).toEqual(keyed({}));
  });

  it.each([
    ['caller', { headers: { ...asked.headers, authorization: 'Bearer two' } }],
    ['method', { method: 'DELETE' }],
    ['path', { url: '/admin/v1/routes/demo/other?a=1' }],
  ])('has a key of its own for each %s', (_what, change) => {
    expect(keyed(change).id).not.toBe(keyed({}).id);
  });

  it.each([
    ['body', { body: { ...asked.body, a: 2 } }],
    ['absence of a body', { body: undefined }],
    ['query', { url: '/admin/v1/routes/demo/weather?a=2' }],
    ['condition', { headers: { ...asked.headers, 'if-match': '"2"' } }],
  ])('is another one with another %s', (_what, change) => {
    expect(keyed(change).id).toBe(keyed({}).id);
    expect(keyed(change).fingerprint).not.toBe(keyed({}).fingerprint);
  });

  it('is refused if it is nested without end', () => {
    let body: unknown = 1;
    for (let depth = 0; depth < 200_000; depth++) body = [body];
    expect(() => keyed({ body })).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });
});
