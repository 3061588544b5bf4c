import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ExactEvmScheme } from '@x402/evm/exact/client';
import { wrapFetchWithPayment, x402Client } from '@x402/fetch';
import { privateKeyToAccount } from 'viem/accounts';
import { decodePayment } from './payment-header.js';
import { encodeOffer, type OfferInput } from './payment-required.js';
import { paywallPage } from './paywall.js';

const nasty = `</title><script>alert(1)</script>"'&`;
const offer: OfferInput = {
  resource: {
    url: 'https://api.example.com/weather?a=1&b=%3C',
    description: nasty,
    mimeType: nasty,
    serviceName: nasty,
  },
  accepts: [
    {
      network: 'eip155:84532',
      asset: '0x036cbd53842c5426634e7929541ec2318f3dcf7e',
      amount: 1500n,
      payTo: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
      maxTimeoutSeconds: 300,
      extra: { name: nasty, version: '2', quote: nasty },
    },
  ],
  v1Amount: 1000n,
  extensions: {},
};

function page(input = offer, symbol = 'USDC', request = { method: 'GET', url: input.resource.url }) {
  return paywallPage({ request, offer: input, tokens: [{ symbol, decimals: 6 }], body: encodeOffer(input).body });
}

describe('the page for people', () => {
  it('says which price is of which class', () => {
    const fast = { ...offer.accepts[0]!, amount: 9_000n, extra: { ...offer.accepts[0]!.extra, class: 'fast' } };
    const tokens = [0, 1].map(() => ({ symbol: 'USDC', decimals: 6 }));
    const request = { method: 'GET', url: offer.resource.url };
    const two = { ...offer, accepts: [...offer.accepts, fast] };
    const { body } = paywallPage({ request, offer: two, tokens, body: encodeOffer(two).body });
    expect(body).toContain('0.009 USDC</p><p>class fast, per request');
    expect(body).toContain('0.0015 USDC</p><p>per request');
  });

  it('names price, network, resource and client', () => {
    const { body } = page();
    expect(body).toContain('0.0015 USDC');
    expect(body).toContain('base-sepolia (eip155:84532)');
    expect(body).toContain('https://api.example.com/weather?a=1&amp;b=%3C');
    expect(body).toContain('x402 version 1');
  });

  it.each([
    ['GET', '?q=&lt;b&gt;', '&quot;'],
    ['POST', '?a=1', '&quot;, { method: &#39;POST&#39;, headers, body }'],
  ])('shows how to pay for the %s that was asked, with its query', (method, query, end) => {
    const url = `https://api.example.com/search${query.replace('&lt;', '<').replace('&gt;', '>')}`;
    expect(page(offer, 'USDC', { method, url }).body).toContain(
      `await pay(&quot;https://api.example.com/search${query}${end});`,
    );
  });

  it('shows no version 1 terms where version 1 is offered nothing', () => {
    expect(page({ ...offer, v1Amount: undefined }).body).not.toContain('x402 version 1');
  });

  it('lets no text of the route or the token become markup', () => {
    const { body } = page(offer, nasty);
    expect(body).not.toContain('<script');
    expect(body.match(/<\/title>/g)).toHaveLength(1);
    expect(body).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;');
  });

  it('allows its own style and nothing else', () => {
    const { headers, body } = page();
    const style = /<style>([\s\S]*)<\/style>/.exec(body)![1]!;
    const digest = createHash('sha256').update(style).digest('base64');
    expect(headers['Content-Security-Policy']).toBe(
      `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
    expect(body).not.toMatch(/ style=| on\w+=/);
  });

  it('goes over the headers of the offer and leaves the payment header in place', () => {
    const headers = { ...encodeOffer(offer).headers, ...page().headers };
    expect(headers['Content-Type']).toBe('text/html; charset=utf-8');
    expect(headers['PAYMENT-REQUIRED']).toBeDefined();
    expect(new Set(Object.keys(headers).map((name) => name.toLowerCase())).size).toBe(Object.keys(headers).length);
  });

  it('shows client code that pays as it stands', async () => {
    const server = createServer((request, response) => {
      const payment = decodePayment(request.headers as Record<string, string>);
      if (payment !== undefined) return response.end('served');
      const plain = { ...offer, resource: { ...offer.resource, url: `http://${request.headers.host}/` } };
      return response.writeHead(402, { ...encodeOffer(plain).headers, ...page(plain).headers }).end(page(plain).body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      const shown = /<pre><code>([\s\S]*?)<\/code>/.exec(await (await fetch(url)).text())![1]!;
      const code = shown.replaceAll('&#39;', "'").replaceAll('&quot;', '"');
      const names = { wrapFetchWithPayment, x402Client, ExactEvmScheme, privateKeyToAccount };
      const process = { env: { PRIVATE_KEY: `0x${'11'.repeat(32)}` } };
      const run = new Function(
        'process',
        ...Object.keys(names),
        `return (async () => { ${code}; return response.text(); })()`,
      );
      expect(await run(process, ...Object.values(names))).toBe('served');
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
