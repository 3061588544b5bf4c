import { encode, type Payment } from './payment.js';

const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64');

/** Header values that are no payment at all. */
export const notPayments: readonly string[] = [
  ...['x', '====', '%%%%', 'null', '{}', 'Bearer eyJ9', 'e30', 'e30=,e30=', 'e30= e30=', '\xe9\xff', '"e30="'],
  ...['', 'null', '[]', '"x"', '1', 'true', '{', '{}', '{"x402Version":2}', '{"x402Version":1}', '\ufeff{}'].map(
    base64,
  ),
  ...['NaN', "{'a':1}", '{"a":1,}', '{"a":1}{"a":1}', '{"__proto__":{}}', '{"a":"\\u0000"}', '{"a":"\\ud800"}'].map(
    base64,
  ),
  base64('{"x402Version":2,"x402Version":2}'),
  base64('['.repeat(3000)),
  base64(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`),
  base64(Buffer.from([0x7b, 0xff, 0xfe, 0x7d])),
  base64(Buffer.from('{}', 'utf16le')),
  base64(`{"a":"${'a'.repeat(7000)}"}`),
  base64(`{"a":1${'0'.repeat(5000)}}`),
];

/** Wrong for every member of a payment: other types, other spellings of numbers, other sizes. */
const wrongValues: readonly unknown[] = [
  ...[null, true, 0, -1, 1.5, 2 ** 53, [], ['1000'], {}, { length: 1 }],
  ...['', ' ', '1000\n', ' 1000', '+1000', '-1000', '01000', '1e3', '1000.0', '0x3e8', '1_000', 'NaN'],
  ...['\u0661\u0660\u0660\u0660', '\uff11\uff10\uff10\uff10', '9'.repeat(78), '9'.repeat(3000)],
];

/** The payment with each of its members replaced by each wrong value, or left out. */
export function* spoilt(payment: Payment): Generator<readonly [what: string, header: string]> {
  for (const path of pathsOf(payment)) {
    for (const value of [undefined, ...wrongValues]) {
      const copy = structuredClone(payment) as unknown as Record<string, unknown>;
      replace(copy, path, value);
      yield [`${path.join('.')}: ${JSON.stringify(value)?.slice(0, 40)}`, encode(copy)];
    }
  }
}

function pathsOf(payment: Payment): string[][] {
  const authorization = Object.keys(payment.payload.authorization).map((name) => ['payload', 'authorization', name]);
  const common = [
    ['x402Version'],
    ['payload'],
    ['payload', 'signature'],
    ['payload', 'authorization'],
    ...authorization,
  ];
  if (payment.x402Version === 1) return [...common, ['scheme'], ['network']];
  const accepted = Object.keys(payment.accepted).map((name) => ['accepted', name]);
  return [...common, ['accepted'], ...accepted, ['accepted', 'extra', 'quote']];
}

function replace(target: Record<string, unknown>, [name, ...rest]: readonly string[], value: unknown): void {
  if (rest.length > 0) replace(target[name!] as Record<string, unknown>, rest, value);
  else if (value === undefined) delete target[name!];
  else target[name!] = value;
}

const CLOSE = 'Host: shop.example\r\nConnection: close\r\n';
const get = (target: string, headers = '', method = 'GET') => `${method} ${target} HTTP/1.1\r\n${CLOSE}${headers}\r\n`;
const post = (headers: string, body = '') => `POST /demo/query HTTP/1.1\r\n${CLOSE}${headers}\r\n${body}`;

/** Other spellings of a priced path. None of them may be free, and none may confuse. */
const targets: readonly string[] = [
  ...['/Demo/weather', '/demo/weather/', '//demo/weather', '/demo//weather', '/demo/./weather', '/x/../demo/weather'],
  ...['/demo/weather;a=1', '/demo/weather%00', '/demo/weather%2f', '/demo%2fweather', '/demo/weath%65r', '/demo/%zz'],
  ...[
    '/demo/weather%ff',
    '/demo/weather%',
    '/demo\\weather',
    '/demo/weather#x',
    '/demo/weather\xe9',
    '/demo/weather\t',
  ],
  ...['http://shop.example/demo/weather', 'http://other.example/demo/weather', 'demo/weather', '*', '?', '/'],
  ...[
    `/demo/${'a'.repeat(8000)}`,
    `/${'a/'.repeat(2000)}`,
    '/receipts/%2e%2e',
    '/receipts/%zz',
    `/receipts/${'a'.repeat(500)}`,
  ],
];

/** Whole requests that are wrong as HTTP, or right and strange. */
export const oddRequests: readonly string[] = [
  ...targets.map((target) => get(target)),
  ...['POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'PURGE', 'QUERY', 'FOO', 'get'].map((method) =>
    get('/demo/weather', '', method),
  ),
  get('/demo/weather', `X: ${'a'.repeat(20_000)}\r\n`),
  get('/demo/weather', 'X : 1\r\n'),
  get('/demo/weather', 'X\x00: 1\r\n'),
  get('/demo/weather', 'X: a\x00b\r\n'),
  get('/demo/weather', 'Host: other.example\r\n'),
  get('/demo/weather', `PAYMENT-SIGNATURE: ${base64(`{"amount":"${'9'.repeat(1_000_000)}"}`)}\r\n`),
  'GET /demo/weather HTTP/1.1\r\nConnection: close\r\n\r\n',
  'GET /demo/weather HTTP/3.1\r\nHost: a\r\n\r\n',
  'GET /demo/weather\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n',
  ...['x', '-1', '1, 2', '0x3', '3.0', '٣'].map((length) => post(`Content-Length: ${length}\r\n`, 'abc')),
  post('Content-Length: 99999999999999999999\r\n'),
  post('Content-Length: 99999999999\r\n'),
  post('Content-Length: 3\r\nContent-Length: 4\r\n', 'abcd'),
  post('Content-Length: 3\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  post('Transfer-Encoding: chunked\r\n', 'zz\r\nabc\r\n0\r\n\r\n'),
  post('Transfer-Encoding: gzip\r\nContent-Length: 3\r\n', 'abc'),
  post('Content-Length: 9000\r\n', 'a'.repeat(9000)),
  // Refused as declared: the rest never comes.
  post('Content-Length: 9000000\r\n', 'a'),
  post('Transfer-Encoding: chunked\r\n', `2329\r\n${'a'.repeat(9001)}\r\n`),
  post('Content-Length: 3\r\nExpect: a-miracle\r\n', 'abc'),
  post('Content-Length: 3\r\nContent-Type: ;;;\r\n', 'abc'),
];

/** Requests that are sold, with what a price may look at made strange: always a 402 with a price. */
export const oddSales: readonly string[] = [
  ...['u=9', 'u=-1', 'u=1.5', 'u="0"', 'u=?1', 'u', 'u=0, u=7', 'i', '\xe9', ',,,', `u=${'9'.repeat(2000)}`].map(
    (priority) => post(`Priority: ${priority}\r\nContent-Length: 3\r\n`, 'abc'),
  ),
  ...['text/html;q=x', 'text/html;q=2', ',,;;', `text/html;${'q=1;'.repeat(2000)}`].map((accept) =>
    get('/demo/weather', `Accept: ${accept}\r\n`),
  ),
  ...['{', 'null', '[]', '{"prompt":1}', '{"prompt":"a","max_tokens":1e308}', '{"prompt":"a","max_tokens":-1}'].map(
    completion,
  ),
  ...['{"prompt":"a","max_tokens":"9"}', '{"prompt":"a","max_tokens":1.5}', `${'['.repeat(4000)}`].map(completion),
  completion(`{"prompt":"a","max_tokens":${'9'.repeat(4000)}}`),
  completion('{"__proto__":{"prompt":"a"},"prompt":"\\ud800"}'),
];

const hex = (text: string) => text.length.toString(16);

/** Requests that are strange and right; each is sold and delivered. `payment` is a header line with its line break. */
export const oddPurchases: readonly (readonly [target: string, request: (payment: string) => string])[] = [
  ...['?', '?a="<>{}|^`\\', '?a=%zz&%00', '?a?b??', '?//../..', `?${'a'.repeat(4000)}`, '?a=b;c'].map((query) => {
    const target = `/demo/weather${query}`;
    return [target, (payment: string) => get(target, payment)] as const;
  }),
  ...[
    'X-Latin: caf\xe9\r\n',
    'Upgrade: websocket\r\n',
    'TE: trailers\r\nTrailer: x\r\nKeep-Alive: timeout=5\r\n',
    'Connection: upgrade, x-a\r\nX-A: 1\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n',
    'Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic eA==\r\n',
    'Range: bytes=0-1\r\nIf-None-Match: *\r\nAccept-Encoding: br;q=1.0, *;q=0\r\n',
    'Cookie: a=b\r\nCookie: c=d\r\nX-Twice: 1\r\nX-Twice: 2\r\nX-Empty:\r\n',
    '__proto__: x\r\nconstructor: x\r\n!#$%&*+-.^_`|~: x\r\n',
    'X-A: 1\r\n'.repeat(500),
  ].map((headers) => ['/demo/weather', (payment: string) => get('/demo/weather', payment + headers)] as const),
  ['/demo/weather', (payment) => get('/demo/weather', payment).replace('HTTP/1.1', 'HTTP/1.0')],
];

/** A JSON body in chunks, with an extension and a trailer. */
export function chunked(target: string, headers: string, body: string): string {
  const chunks = `${hex(body)};name=value\r\n${body}\r\n0\r\nX-Trailer: x\r\n\r\n`;
  return `POST ${target} HTTP/1.1\r\n${CLOSE}${headers}Transfer-Encoding: chunked\r\n\r\n${chunks}`;
}

function completion(body: string): string {
  return `POST /demo/completions HTTP/1.1\r\n${CLOSE}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** A `GET` of the demo's weather with these headers. */
export function weatherWith(...headers: readonly string[]): string {
  return get('/demo/weather', headers.map((header) => `${header}\r\n`).join(''));
}
