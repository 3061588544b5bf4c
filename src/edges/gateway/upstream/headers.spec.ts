import { buyerAnswerHeaders, upstreamRequestHeaders } from './headers.js';

const passed = (...raw: string[]): string[] => upstreamRequestHeaders(raw, true);

describe('headers on their way to the upstream', () => {
  it('keeps what is meant for the upstream as it came, repeated names included', () => {
    const raw = [
      'Accept',
      '*/*',
      'Accept-Encoding',
      'br',
      'X-Tag',
      'a',
      'X-Tag',
      'b',
      'Content-Type',
      'application/json',
    ];
    expect(passed(...raw)).toEqual(raw);
  });

  it.each([
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'Proxy-Authorization',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
    'HTTP2-Settings',
  ])('drops the hop-by-hop header %s', (name) => {
    expect(passed(name, 'x', 'Accept', '*/*')).toEqual(['Accept', '*/*']);
  });

  it('drops what Connection names, over several Connection headers', () => {
    const raw = ['Connection', 'close, X-Hop', 'X-Hop', '1', 'connection', ' x-other ', 'X-Other', '2', 'X-Stay', '3'];
    expect(passed(...raw)).toEqual(['X-Stay', '3']);
  });

  it.each([
    'PAYMENT-SIGNATURE',
    'X-PAYMENT',
    'PAYMENT-REQUIRED',
    'PAYMENT-RESPONSE',
    'X-PAYMENT-RESPONSE',
    'x_payment',
  ])('keeps the payment header %s to ourselves', (name) => expect(passed(name, 'secret')).toEqual([]));

  it.each(['Tollbook-Payer', 'tollbook-signature', 'Tollbook_Payer', 'TOLLBOOK_ANYTHING', 'X-Request-Id'])(
    'lets nobody write %s in our name',
    (name) => expect(passed(name, 'forged')).toEqual([]),
  );

  it.each(['X-Forwarded-For', 'X_Forwarded_Host', 'Forwarded', 'X-Real-IP', 'Via'])(
    'drops %s: nobody has checked it',
    (name) => expect(passed(name, '10.0.0.1')).toEqual([]),
  );

  it.each(['X-HTTP-Method-Override', 'X-Original-URL', 'X-Rewrite-URL'])(
    'drops %s, which could run another request than the one paid for',
    (name) => expect(passed(name, 'DELETE')).toEqual([]),
  );

  it('leaves framing and host to the connection it makes', () => {
    expect(passed('Host', 'pay.example', 'Content-Length', '3', 'Expect', '100-continue')).toEqual([]);
  });

  it('passes Authorization on only if the route does', () => {
    expect(upstreamRequestHeaders(['Authorization', 'Bearer x'], true)).toEqual(['Authorization', 'Bearer x']);
    expect(upstreamRequestHeaders(['Authorization', 'Bearer x'], false)).toEqual([]);
  });
});

describe('headers on their way to the buyer', () => {
  const own = ['cache-control', 'private, no-store'];

  it('keeps content headers, redirects and every cookie', () => {
    const headers = { 'content-type': 'text/plain', location: '/next', 'set-cookie': ['a=1', 'b=2'] };
    expect(buyerAnswerHeaders(headers)).toEqual([
      own,
      ['content-type', 'text/plain'],
      ['location', '/next'],
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ]);
  });

  it('drops hop-by-hop headers, what Connection names, and payment or Tollbook headers an upstream may send', () => {
    const headers = {
      connection: 'x-hop, close',
      'x-hop': '1',
      'keep-alive': 'timeout=5',
      'transfer-encoding': 'chunked',
      trailer: 'x',
      'payment-response': 'forged',
      'x-payment-response': 'forged',
      'tollbook-receipt': 'forged',
      'alt-svc': 'h3=":443"',
    };
    expect(buyerAnswerHeaders(headers)).toEqual([own]);
  });

  it('allows no shared cache to keep a paid answer, whatever the upstream says', () => {
    const headers = {
      'cache-control': 'public, max-age=600',
      expires: 'never',
      'cdn-cache-control': 'max-age=600',
      age: '1',
    };
    expect(buyerAnswerHeaders(headers)).toEqual([own]);
  });
});
