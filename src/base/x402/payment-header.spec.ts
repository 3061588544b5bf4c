import { createHash } from 'node:crypto';
import { encodePaymentSignatureHeader } from '@x402/core/http';
import { type DecodedPayment, decodePayment, MAX_PAYMENT_HEADER_BYTES } from './payment-header.js';

const payer = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const payee = '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC';
const nonce = `0x${'Cd'.repeat(32)}`;
const signature = `0x${'Ab'.repeat(65)}`;
const authorization = { from: payer, to: payee, value: '1000', validAfter: '0', validBefore: '1790000000', nonce };
const accepted = {
  scheme: 'exact',
  network: 'eip155:84532',
  amount: '1000',
  asset: '0x036CbD53842c5426634e7929541eC2318f3dCF7e',
  payTo: payee,
  maxTimeoutSeconds: 300,
  extra: { name: 'USDC', version: '2', quote: 'k1.abc' },
};
const payload = { signature, authorization };
const v2 = { x402Version: 2, accepted, payload, resource: { url: 'https://api.example.com/' }, extensions: {} };
const v1 = { x402Version: 1, scheme: 'exact', network: 'base-sepolia', payload };

const encode = (text: string | Buffer) => Buffer.from(text).toString('base64');
const decodeV2 = (payment: unknown) => decodePayment({ 'payment-signature': encode(JSON.stringify(payment)) });
const decodeV1 = (payment: unknown) => decodePayment({ 'x-payment': encode(JSON.stringify(payment)) });
const decodeText = (text: string | Buffer) => decodePayment({ 'payment-signature': encode(text) });
const problem = (code: string, detail: unknown = expect.anything()) =>
  expect.objectContaining({ code, detail, status: 400 });

const parsed = {
  authorization: {
    from: payer.toLowerCase(),
    to: payee.toLowerCase(),
    value: 1000n,
    validAfter: 0n,
    validBefore: 1790000000n,
    nonce: nonce.toLowerCase(),
  },
  signature: signature.toLowerCase(),
  payloadDigest: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
};

describe('a payment', () => {
  it('of version 2 is read as the official client encodes it', () => {
    const header = encodePaymentSignatureHeader(v2 as never);
    const { asset, payTo } = accepted;
    expect(decodePayment({ 'payment-signature': header })).toEqual({
      x402Version: 2,
      accepted: { ...accepted, amount: 1000n, asset: asset.toLowerCase(), payTo: payTo.toLowerCase() },
      ...parsed,
    });
  });

  it('of version 1 is read with its CAIP-2 network', () => {
    expect(decodeV1(v1)).toEqual({ x402Version: 1, network: 'eip155:84532', ...parsed });
  });

  it('is absent without a header', () => {
    expect(decodePayment({})).toBeUndefined();
    expect(decodePayment({ 'payment-signature': [], 'x-payment': undefined })).toBeUndefined();
  });

  it('may have null for what is optional, and members that we do not know', () => {
    const open = { ...v2, resource: null, extensions: null, accepted: { ...accepted, extra: null }, later: [1] };
    expect(decodeV2(open)).toMatchObject({ accepted: { extra: {} } });
  });

  it('carries a payment identifier', () => {
    const extensions = { 'payment-identifier': { info: { required: false, id: 'pay_0123456789abcdef' } } };
    expect(decodeV2({ ...v2, extensions })).toMatchObject({ paymentIdentifier: 'pay_0123456789abcdef' });
    const short = { 'payment-identifier': { info: { required: false, id: 'short' } } };
    expect(() => decodeV2({ ...v2, extensions: short })).toThrow(problem('invalid_payment_identifier'));
  });

  it('takes a signature of a wallet, as long as the header has room', () => {
    expect(decodeV2({ ...v2, payload: { ...payload, signature: `0x${'ef'.repeat(2000)}` } })).toBeDefined();
  });

  it('has the digest of its decoded bytes: one for the same payment, another for any other spelling', () => {
    const digestOf = (text: string) => (decodeText(text) as DecodedPayment).payloadDigest;
    const text = JSON.stringify(v2);
    expect(digestOf(text)).toBe(createHash('sha256').update(text).digest('base64url'));
    expect(digestOf(` ${text}`)).not.toBe(digestOf(text));
    expect(digestOf(JSON.stringify({ ...v2, later: true }))).not.toBe(digestOf(text));
  });
});

describe('a header that is not one payment', () => {
  const header = encode(JSON.stringify(v2));

  it.each([
    ['two headers of one name', { 'payment-signature': [header, header] }],
    ['two headers joined by Node', { 'payment-signature': `${header}, ${header}` }],
    ['headers of both versions', { 'payment-signature': header, 'x-payment': encode(JSON.stringify(v1)) }],
  ])('%s', (_, headers) => expect(() => decodePayment(headers)).toThrow(problem('duplicate_payment_header')));

  it('one byte too large, whatever it holds', () => {
    const filled = (length: number) => () => decodePayment({ 'payment-signature': 'A'.repeat(length) });
    expect(filled(MAX_PAYMENT_HEADER_BYTES)).toThrow(problem('malformed_payment'));
    expect(filled(MAX_PAYMENT_HEADER_BYTES + 1)).toThrow(problem('payment_header_too_large'));
    expect(filled(10_000_000)).toThrow(problem('payment_header_too_large'));
  });

  const unpadded = encode(`${JSON.stringify(v2)} `).replace(/=+$/, '');
  it.each([
    ['empty', ''],
    ['base64 without padding', unpadded.length % 4 === 0 ? unpadded.slice(0, -1) : unpadded],
    [
      'base64url',
      encode(JSON.stringify({ ...v2, a: '???>>>' }))
        .replaceAll('/', '_')
        .replaceAll('+', '-'),
    ],
    ['stray bits after the last byte', 'e31='],
    ['a blank within', `${header.slice(0, 8)} ${header.slice(8)}`],
    ['a line end within', `${header.slice(0, 8)}\n${header.slice(8)}`],
    ['plain JSON', JSON.stringify(v1).replaceAll(',', ' ')],
    ['full-width letters', `ｅ${header.slice(1)}`],
  ])('%s', (_, value) => {
    expect(() => decodePayment({ 'payment-signature': value })).toThrow(problem('malformed_payment'));
  });
});

describe('a header whose JSON is hostile', () => {
  const text = JSON.stringify(v2);

  it.each([
    ['not JSON', '{"x402Version":2', 'is not JSON'],
    ['an array', '[]', 'is not a JSON object'],
    ['null', 'null', 'is not a JSON object'],
    [
      'bytes that are not UTF-8',
      Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc0, 0x80]), Buffer.from('"}')]),
      'UTF-8',
    ],
    ['a byte order mark', `\uFEFF${text}`, 'is not JSON'],
    ['a member twice', text.replace('"value":"1000"', '"value":"1","value":"1000"'), 'names a member twice'],
    ['a member twice, once escaped', text.replace('"to":', '"t\\u006f":"","to":'), 'names a member twice'],
    ['__proto__', text.replace('"extensions":', '"__proto__":{},"extensions":'), '__proto__'],
    ['NUL', text.replace('k1.abc', 'k1\\u0000'), 'NUL'],
    ['NUL in a name', text.replace('"quote"', '"qu\\u0000te"'), 'NUL'],
    ['half a character', text.replace('k1.abc', '\\ud800'), 'half a character'],
    ['a number beyond any', text.replace('300', '1e999'), 'number'],
    ['a number that a double rounds', text.replace('300', '9007199254740993'), 'number'],
    ['6,000 levels', `{"a":${'['.repeat(2900)}${']'.repeat(2900)}}`, 'nested deeper'],
  ])('%s', (_, json, detail) => {
    expect(() => decodeText(json)).toThrow(problem('malformed_payment', expect.stringContaining(detail)));
  });

  it('may hold colons, quotes and escapes within its texts', () => {
    const extra = { name: '":"', version: '\\":\\', quote: '{"a":1}', 'a:b"': '\u{1F600}' };
    const decoded = decodeText(
      JSON.stringify({ ...v2, accepted: { ...accepted, extra } }).replace('\u{1F600}', '\\ud83d\\ude00'),
    );
    expect(decoded).toMatchObject({ accepted: { extra } });
  });

  it.each([
    ['version 3', { ...v2, x402Version: 3 }, 'unsupported_x402_version', 'x402Version'],
    ['version 1 in the header of version 2', v1, 'unsupported_x402_version', 'PAYMENT-SIGNATURE carries version 2'],
    ['version "2"', { ...v2, x402Version: '2' }, 'unsupported_x402_version', 'x402Version'],
    ['no version', { ...v2, x402Version: undefined }, 'malformed_payment', 'x402Version'],
    ['upto', { ...v2, accepted: { ...accepted, scheme: 'upto' } }, 'unsupported_scheme', 'accepted.scheme'],
    ['no scheme', { ...v2, accepted: { ...accepted, scheme: null } }, 'malformed_payment', 'accepted.scheme'],
    ['no terms', { ...v2, accepted: undefined }, 'malformed_payment', 'accepted'],
    ['terms with more', { ...v2, accepted: { ...accepted, secret: 1 } }, 'malformed_payment', 'accepted: has members'],
    [
      'another chain',
      { ...v2, accepted: { ...accepted, network: 'solana:5eykt4' } },
      'malformed_payment',
      'accepted.network',
    ],
    [
      'half a second',
      { ...v2, accepted: { ...accepted, maxTimeoutSeconds: 0.5 } },
      'malformed_payment',
      'maxTimeoutSeconds',
    ],
    ['extra text', { ...v2, accepted: { ...accepted, extra: 'x' } }, 'malformed_payment', 'accepted.extra'],
    ['odd hex', { ...v2, payload: { ...payload, signature: '0xabc' } }, 'malformed_payment', 'payload.signature'],
    ['no signature', { ...v2, payload: { ...payload, signature: '0x' } }, 'malformed_payment', 'payload.signature'],
    [
      'a permit2 payload',
      { ...v2, payload: { signature, permit2Authorization: {} } },
      'malformed_payment',
      'payload.authorization',
    ],
  ])('%s', (_, payment, code, detail) => {
    expect(() => decodeV2(payment)).toThrow(problem(code, expect.stringContaining(detail)));
  });

  it('version 1 with a name that is none, or another scheme', () => {
    expect(() => decodeV1({ ...v1, network: 'eip155:84532' })).toThrow(
      problem('malformed_payment', expect.stringContaining('network')),
    );
    expect(() => decodeV1({ ...v1, scheme: 'deferred' })).toThrow(problem('unsupported_scheme'));
    expect(() => decodeV1(v2)).toThrow(problem('unsupported_x402_version'));
  });

  const badNumbers = [
    '',
    '-1',
    '+1',
    '0x10',
    '1e3',
    '1.0',
    '01',
    ' 1',
    '1\n',
    '١٢',
    '１',
    '1_000',
    '9'.repeat(79),
    '9'.repeat(4000),
    1000,
    10n.toString(36),
    null,
    [],
    ['1'],
  ];
  it.each(badNumbers)('the number %p', (bad) => {
    for (const name of ['value', 'validAfter', 'validBefore'] as const) {
      const payment = { ...v2, payload: { signature, authorization: { ...authorization, [name]: bad } } };
      expect(() => decodeV2(payment)).toThrow(
        problem('malformed_payment', expect.stringContaining(`payload.authorization.${name}`)),
      );
    }
    expect(() => decodeV2({ ...v2, accepted: { ...accepted, amount: bad } })).toThrow(
      problem('malformed_payment', expect.stringContaining('accepted.amount')),
    );
  });
});
