import { decodePaymentSignatureHeader, encodePaymentSignatureHeader } from '@x402/core/http';
import fc from 'fast-check';
import { Problem } from '../shared/problem.js';
import { decodePayment, MAX_PAYMENT_HEADER_BYTES } from './payment-header.js';

const payer = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
const accepted = {
  scheme: 'exact',
  network: 'eip155:84532',
  amount: '1000',
  asset: '0x036cbd53842c5426634e7929541ec2318f3dcf7e',
  payTo: payer,
  maxTimeoutSeconds: 300,
  extra: { name: 'USDC', version: '2', quote: 'k1.abc' },
};
const numbers = { value: '1000', validAfter: '0', validBefore: '1790000000' };
const authorization = { from: payer, to: payer, ...numbers, nonce: `0x${'cd'.repeat(32)}` };
const payload = { signature: `0x${'ab'.repeat(65)}`, authorization };
const v2 = { x402Version: 2, accepted, payload, resource: { url: 'https://api.example.com/' }, extensions: {} };

const LIMIT_MS = 20;

const encode = (text: string | Buffer) => Buffer.from(text).toString('base64');

describe('any header at all', () => {
  const anyText = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string(),
    fc.base64String(),
    fc.constantFrom('__proto__', '1e9', '0x1', '１', '\0'),
  );
  const anyValue = fc.oneof(anyText, fc.jsonValue(), fc.constantFrom(null, true, -1, 1e21, {}, []));
  /** The path of one member within a valid payment, so that most cases get far into the decoder. */
  const anyPath = fc.constantFrom(
    ...['x402Version', 'accepted', 'payload', 'extensions', 'accepted.scheme', 'accepted.network', 'accepted.amount'],
    ...['accepted.asset', 'accepted.payTo', 'accepted.maxTimeoutSeconds', 'accepted.extra', 'payload.signature'],
    ...[
      'payload.authorization',
      'payload.authorization.value',
      'payload.authorization.nonce',
      'extensions.payment-identifier',
    ],
  );

  function changed(path: string, value: unknown): unknown {
    const copy = structuredClone(v2) as Record<string, unknown>;
    const names = path.split('.');
    const last = names.pop()!;
    const parent = names.reduce((object, name) => object[name] as Record<string, unknown>, copy);
    parent[last] = value;
    return copy;
  }

  const hostile = fc.oneof(
    anyText,
    fc.uint8Array({ maxLength: 300 }).map((bytes) => encode(Buffer.from(bytes))),
    fc.jsonValue().map((value) => encode(JSON.stringify(value))),
    fc.tuple(anyPath, anyValue).map(([path, value]) => encode(JSON.stringify(changed(path, value)))),
    // One byte of a valid payment replaced.
    fc.tuple(fc.nat(), fc.nat(255)).map(([at, byte]) => {
      const bytes = Buffer.from(JSON.stringify(v2));
      bytes[at % bytes.length] = byte;
      return encode(bytes);
    }),
    fc
      .tuple(fc.constantFrom('{"a":', '[', '"', '9', '\\u0000', ':'), fc.integer({ min: 1, max: 3_000 }))
      .map(([part, times]) => encode(part.repeat(times))),
  );

  function outcomeOf(headers: Parameters<typeof decodePayment>[0]): unknown {
    try {
      return decodePayment(headers);
    } catch (error) {
      return error;
    }
  }

  /** Milliseconds; a slow run is repeated, since the fastest of several is free of what else the machine does. */
  function costOf(headers: Parameters<typeof decodePayment>[0], runs: number): number {
    const before = performance.now();
    outcomeOf(headers);
    const cost = performance.now() - before;
    return cost > LIMIT_MS && runs > 1 ? Math.min(cost, costOf(headers, runs - 1)) : cost;
  }

  it('is a payment or a 4xx with a code, and nothing else', () => {
    const header = fc.oneof(
      { weight: 9, arbitrary: hostile },
      { weight: 1, arbitrary: fc.array(hostile, { maxLength: 3 }) },
    );
    fc.assert(
      fc.property(fc.constantFrom('payment-signature', 'x-payment'), header, (name, value) => {
        const outcome = outcomeOf({ [name]: value });
        if (outcome instanceof Problem) expect(outcome.status).toBe(400);
        else if (outcome !== undefined) expect(outcome).toMatchObject({ payloadDigest: expect.any(String) });
        else expect(value).toEqual([]);
        expect(costOf({ [name]: value }, 5)).toBeLessThan(LIMIT_MS);
      }),
      { numRuns: 18_000 },
    );
  });

  it('costs little even at its worst', () => {
    const room = Math.floor((MAX_PAYMENT_HEADER_BYTES * 3) / 4);
    const fill = (before: string, part: string, after: string) =>
      encode(before + part.repeat(Math.floor((room - before.length - after.length) / part.length)) + after);
    const worst = [
      'A'.repeat(10_000_000),
      encode('['.repeat(200_000)),
      fill('{"a":"', '\\"', '"}'),
      fill('{"a":"', '\\u0001', '"}'),
      fill('', '{"a":', ''),
      fill('[', '[],', '[]]'),
      fill('{', '"":0,', '"":0}'),
      fill('{"x402Version":2,"accepted":{"scheme":"exact",', '"a":1,', '"b":1}}'),
      fill('{"x402Version":2,"a":"', ':', '"}'),
      fill('{"x402Version":2,"payload":{"signature":"0x', 'a', 'g"}}'),
    ];
    for (const value of worst) {
      expect(outcomeOf({ 'payment-signature': value })).toBeInstanceOf(Problem);
      expect(costOf({ 'payment-signature': value }, 5)).toBeLessThan(LIMIT_MS);
    }
  });

  it('reads every valid payment as the official decoder does', () => {
    const hex = (bytes: number) =>
      fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((raw) => `0x${Buffer.from(raw).toString('hex')}`);
    const uint = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n });
    const signed = fc.record({
      from: hex(20),
      to: hex(20),
      value: uint,
      validAfter: uint,
      validBefore: uint,
      nonce: hex(32),
    });
    fc.assert(
      fc.property(
        signed,
        hex(65),
        uint,
        fc.string({ unit: 'grapheme', maxLength: 40 }),
        (terms, sig, amount, quote) => {
          const wire = {
            ...terms,
            value: `${terms.value}`,
            validAfter: `${terms.validAfter}`,
            validBefore: `${terms.validBefore}`,
          };
          const extra = { ...accepted.extra, quote };
          const payment = {
            ...v2,
            accepted: { ...accepted, amount: `${amount}`, extra },
            payload: { signature: sig, authorization: wire },
          };
          const header = encodePaymentSignatureHeader(payment as never);
          expect(decodePaymentSignatureHeader(header)).toEqual(payment);
          if (quote.includes('\0')) return;
          expect(decodePayment({ 'payment-signature': header })).toMatchObject({
            accepted: { amount, extra },
            authorization: terms,
            signature: sig,
          });
        },
      ),
      { numRuns: 2000 },
    );
  });
});
