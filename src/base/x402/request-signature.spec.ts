import { createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { type InnerList, parseDictionary } from 'structured-headers';
import { Problem } from '../shared/problem.js';
import { readCommitmentSignature, staleness } from './commitment-signature.js';
import { isSignedWith } from './request-signature.js';
import { type SignedMessage, signatureBase } from './signature-base.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const NOW = 1_800_000_000_000;
const BODY = Buffer.from('{"query":"select 1"}');
const DIGEST = `sha-256=:${createHash('sha256').update(BODY).digest('base64')}:`;
const COVERED = '"@method" "@authority" "@path" "@query" "content-digest" "payment-signature"';
const PARAMETERS =
  'created=1800000000;expires=1800000030;nonce="0123456789abcdef";keyid="k1";tag="tollbook-commitment"';

const base: SignedMessage = {
  method: 'POST',
  authority: 'API.example.com',
  path: '/demo/query',
  query: '?limit=2',
  rawHeaders: ['Host', 'API.example.com', 'PAYMENT-SIGNATURE', 'e30=', 'Content-Digest', DIGEST],
};
const expectedLines = [
  '"@method": POST',
  '"@authority": api.example.com',
  '"@path": /demo/query',
  '"@query": ?limit=2',
  `"content-digest": ${DIGEST}`,
  '"payment-signature": e30=',
];

/** Signed by hand, so that nothing of what is tested has a part in it. */
function signed(covered = COVERED, parameters = PARAMETERS, lines = expectedLines): SignedMessage {
  const input = `(${covered});${parameters}`;
  const text = [...lines, `"@signature-params": ${input}`].join('\n');
  const signature = sign(null, Buffer.from(text), privateKey).toString('base64');
  return withFields(base, ['Signature-Input', `sig1=${input}`, 'Signature', `sig1=:${signature}:`]);
}

function withFields(message: SignedMessage, fields: readonly string[]): SignedMessage {
  return { ...message, rawHeaders: [...message.rawHeaders, ...fields] };
}

const holds = (message: SignedMessage, body = BODY) => isSignedWith(publicKey, readCommitmentSignature(message, body));
const codeOf = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.code;
  }
};

describe('the signature of a request', () => {
  it('is that of RFC 9421, appendix B.2.6', () => {
    const message: SignedMessage = {
      ...{ method: 'POST', authority: 'example.com', path: '/foo', query: '?param=Value&Pet=dog' },
      rawHeaders: [
        ...['Host', 'example.com', 'Date', 'Tue, 20 Apr 2021 02:07:55 GMT', 'Content-Type', 'application/json'],
        ...['Content-Length', '18'],
      ],
    };
    const input =
      'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"';
    const { base } = signatureBase(message, parseDictionary(input).get('sig-b26') as InnerList);
    const key = createPublicKey({
      key: Buffer.from('MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=', 'base64'),
      ...({ format: 'der', type: 'spki' } as const),
    });
    const signature = Buffer.from(
      'wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==',
      'base64',
    );
    expect(isSignedWith(key, { base, signature })).toBe(true);
    expect(isSignedWith(key, { base: base.replace('POST', 'PUT'), signature })).toBe(false);
  });

  it('holds over what was signed, and says what it says', () => {
    expect(holds(signed())).toBe(true);
    expect(readCommitmentSignature(signed(), BODY)).toMatchObject({
      ...{ keyId: 'k1', nonce: '0123456789abcdef', created: 1_800_000_000, expires: 1_800_000_030 },
      base: [...expectedLines, `"@signature-params": (${COVERED});${PARAMETERS}`].join('\n'),
    });
  });

  it.each<[string, Partial<SignedMessage>]>([
    ['method', { method: 'PUT' }],
    ['authority', { authority: 'other.example.com' }],
    ['path', { path: '/demo/queries' }],
    ['query', { query: '?limit=3' }],
    ['query that is empty', { query: '' }],
  ])('does not hold for another %s', (_what, change) => expect(holds({ ...signed(), ...change })).toBe(false));

  it('does not hold for another payment, and not for another body', () => {
    const message = signed();
    const rawHeaders = message.rawHeaders.map((text) => (text === 'e30=' ? 'e31=' : text));
    expect(holds({ ...message, rawHeaders })).toBe(false);
    expect(codeOf(() => holds(message, Buffer.from('{"query":"select 2"}')))).toBe('content_digest_mismatch');
    expect(codeOf(() => holds(message, Buffer.alloc(0)))).toBe('content_digest_mismatch');
  });

  it.each(['@method', '@authority', '@path', '@query', 'content-digest', 'payment-signature'])(
    'has to cover %s',
    (name) => {
      const covered = COVERED.replace(`"${name}"`, '').replace('  ', ' ').trim();
      const lines = expectedLines.filter((line) => !line.startsWith(`"${name}"`));
      expect(codeOf(() => holds(signed(covered, PARAMETERS, lines)))).toBe('malformed_signature');
    },
  );

  it('needs no digest where there is no body', () => {
    const without = { ...base, rawHeaders: base.rawHeaders.slice(0, 4) };
    const lines = expectedLines.filter((line) => !line.includes('digest'));
    const input = `(${COVERED.replace('"content-digest" ', '')});${PARAMETERS}`;
    const signature = sign(null, Buffer.from([...lines, `"@signature-params": ${input}`].join('\n')), privateKey);
    const fields = ['Signature-Input', `s=${input}`, 'Signature', `s=:${signature.toString('base64')}:`];
    expect(holds(withFields(without, fields), Buffer.alloc(0))).toBe(true);
    expect(codeOf(() => holds(withFields(without, fields), BODY))).toBe('malformed_signature');
  });

  it.each<[string, string, string]>([
    ['a component twice', `${COVERED} "@path"`, PARAMETERS],
    ['a component with a parameter', `${COVERED} "date";sf`, PARAMETERS],
    ['a component that needs the scheme', `${COVERED} "@target-uri"`, PARAMETERS],
    ['a component that is not there', `${COVERED} "date"`, PARAMETERS],
    ['another tag', COVERED, PARAMETERS.replace('tollbook-commitment', 'web-bot-auth')],
    ['another algorithm', COVERED, `${PARAMETERS};alg="hmac-sha256"`],
    ['no nonce', COVERED, PARAMETERS.replace(/nonce="\w+";/, '')],
    ['a short nonce', COVERED, PARAMETERS.replace('0123456789abcdef', '0123')],
    ['no key id', COVERED, PARAMETERS.replace('keyid="k1";', '')],
    ['no expiry', COVERED, PARAMETERS.replace('expires=1800000030;', '')],
    ['a time with a fraction', COVERED, PARAMETERS.replace('1800000030', '1800000030.5')],
    ['a date (RFC 9651)', COVERED, PARAMETERS.replace('=1800000030', '=@1800000030')],
    ['a parameter twice', COVERED, `${PARAMETERS};created=1800000000`],
    ['another spelling', COVERED.replace(' ', '  '), PARAMETERS],
  ])('is refused with %s', (_what, covered, parameters) => {
    const lines = [...expectedLines, '"date": x'];
    expect(codeOf(() => holds(signed(covered, parameters, lines)))).toBe('malformed_signature');
  });

  it('is one: two for the same thing are refused, beside one for something else it is found', () => {
    const [, input, , signature] = signed().rawHeaders.slice(-4) as [string, string, string, string];
    const beside = (other: string) =>
      withFields(base, [
        ...['Signature-Input', `bot=${other}`, 'signature-input', input],
        ...['signature', signature, 'Signature', `bot=:${Buffer.alloc(64).toString('base64')}:`],
      ]);
    expect(holds(beside('("@authority");created=1;tag="web-bot-auth"'))).toBe(true);
    expect(codeOf(() => holds(beside('("@authority");created=1;tag="tollbook-commitment"')))).toBe(
      'malformed_signature',
    );
    expect(codeOf(() => holds(base))).toBe('malformed_signature');
  });

  it('is half a minute old at most, whatever it says, and not from the future', () => {
    const at = (created: number, expires: number) => staleness({ created, expires }, NOW);
    const now = NOW / 1000;
    expect(at(now, now + 30)).toBeUndefined();
    expect(at(now - 30, now + 10_000)).toBeUndefined();
    expect(at(now - 31, now + 10_000)).toBe('commitment_expired');
    expect(at(now - 5, now - 1)).toBe('commitment_expired');
    expect(at(now + 10, now + 40)).toBeUndefined();
    expect(at(now + 11, now + 40)).toBe('commitment_not_yet_valid');
  });
});

describe('any fields at all', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }));
  const anyInput = fc.oneof(
    text,
    text.map((value) => `sig1=${value}`),
    fc.tuple(fc.nat(400), text).map(([at, piece]) => {
      const input = `sig1=(${COVERED});${PARAMETERS}`;
      return input.slice(0, at) + piece + input.slice(at + 1);
    }),
  );

  it('are refused with a code, or hold: nothing else is thrown', () => {
    const message = signed();
    const signature = message.rawHeaders.at(-1)!;
    fc.assert(
      fc.property(anyInput, fc.oneof(text, fc.constant(signature)), (input, given) => {
        const sent = withFields(base, ['Signature-Input', input, 'Signature', given]);
        const outcome = codeOf(() => holds(sent));
        const same = input === message.rawHeaders.at(-3) && given === signature;
        expect(outcome).toBe(same ? true : outcome === false ? false : 'malformed_signature');
      }),
      { numRuns: 500 },
    );
  });

  it('hold for no other message: one changed character is enough', () => {
    const message = signed();
    fc.assert(
      fc.property(fc.constantFrom('method', 'authority', 'path', 'query'), fc.nat(), (part, at) => {
        const old = message[part as 'path'];
        const index = at % old.length;
        const other = old[index] === 'Q' ? 'Z' : 'Q';
        const changed = { ...message, [part]: old.slice(0, index) + other + old.slice(index + 1) };
        // The case of a host makes no difference.
        const same = part === 'authority' && changed.authority.toLowerCase() === old.toLowerCase();
        expect(holds(changed)).toBe(same);
      }),
    );
  });
});
