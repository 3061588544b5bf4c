import { escapeHtml, pagePolicy } from '../shared/html.js';
import { formatUnits } from '../shared/money.js';
import { v1NameOf } from './networks.js';
import { type AcceptInput, type OfferInput, paymentRequired } from './payment-required.js';

/** How people read the token of an accept. */
export interface TokenDisplay {
  readonly symbol: string;
  readonly decimals: number;
}

export interface PaywallInput {
  /** What was asked for, which the offer is good for; `url` is the resource with its query. */
  readonly request: { readonly method: string; readonly url: string };
  readonly offer: OfferInput;
  /** In the order of the offer's accepts. */
  readonly tokens: readonly TokenDisplay[];
  /** The body that version 1 clients get, as `encodeOffer` made it. */
  readonly body: string;
}

const STYLE = `:root{color-scheme:light dark;--line:light-dark(#d5d9e0,#3a404b);--soft:light-dark(#f4f6f9,#1c2027);--dim:light-dark(#545d6b,#a4adbb)}
body{margin:0 auto;max-width:44rem;padding:1.5rem 1rem 3rem;font:1rem/1.5 system-ui,sans-serif;background:light-dark(#fff,#12151a);color:light-dark(#171b21,#e8ebf0);overflow-wrap:anywhere}
h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.05rem;margin:2rem 0 .5rem}p{margin:.5rem 0}
.price{font-size:2rem;font-weight:650;margin:1rem 0 0}.dim{color:var(--dim)}
dl{display:grid;grid-template-columns:minmax(6rem,auto) 1fr;gap:.25rem 1rem;margin:1rem 0}dt{color:var(--dim)}dd{margin:0}
pre{background:var(--soft);border:1px solid var(--line);border-radius:.5rem;padding:.75rem;overflow-x:auto;font:.85rem/1.45 ui-monospace,monospace;overflow-wrap:normal}
summary{cursor:pointer;padding:.5rem 0}`;

const PAGE_HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': pagePolicy(STYLE),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};

/**
 * The 402 for people: what it costs, for what, and how a program pays. Send its headers over those of the offer
 * (`{ ...offer.headers, ...page.headers }`), so that a client which asks for HTML can still pay.
 */
export function paywallPage({ body, offer, request, tokens }: PaywallInput): {
  headers: Record<string, string>;
  body: string;
} {
  const { resource, accepts } = offer;
  const title = resource.serviceName ?? new URL(resource.url).host;
  const prices = accepts.map((accept, index) => priceSection(accept, tokens[index]!)).join('');
  const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(`402 Payment Required: ${title}`)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<p class="dim">402 Payment Required</p>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(resource.description)}</p>
${prices}
<dl><dt>Resource</dt><dd>${escapeHtml(resource.url)}</dd><dt>Answer</dt><dd>${escapeHtml(resource.mimeType)}</dd></dl>
<h2>Pay from a program</h2>
<p>Each request is paid on its own, by a signed token transfer; there is no account to open. With the packages @x402/fetch, @x402/evm and viem:</p>
<pre><code>${escapeHtml(clientCode(request))}</code></pre>
<h2>Terms</h2>
<details><summary>x402 version 2</summary><pre><code>${escapeHtml(pretty(paymentRequired(offer)))}</code></pre></details>
${v1Terms(body)}
</main>
</body>
</html>
`;
  return { headers: { ...PAGE_HEADERS }, body: page };
}

function priceSection(accept: AcceptInput, token: TokenDisplay): string {
  const price = `${formatUnits(accept.amount, token.decimals)} ${token.symbol}`;
  const name = v1NameOf(accept.network);
  const network = name === undefined ? accept.network : `${name} (${accept.network})`;
  const chosen = typeof accept.extra.class === 'string' ? `class ${accept.extra.class}, ` : '';
  return `<p class="price">${escapeHtml(price)}</p><p>${escapeHtml(chosen)}per request, on ${escapeHtml(network)}</p>`;
}

function clientCode({ method, url }: PaywallInput['request']): string {
  const plain = method === 'GET' || method === 'HEAD';
  const request = JSON.stringify(url) + (plain ? '' : `, { method: '${method}', headers, body }`);
  return `const signer = privateKeyToAccount(process.env.PRIVATE_KEY);
const client = new x402Client().register('eip155:*', new ExactEvmScheme(signer));
const pay = wrapFetchWithPayment(fetch, client);
const response = await pay(${request});`;
}

function v1Terms(body: string): string {
  const terms = JSON.parse(body) as { x402Version: number };
  if (terms.x402Version !== 1) return '';
  return `<details><summary>x402 version 1</summary><pre><code>${escapeHtml(pretty(terms))}</code></pre></details>`;
}

function pretty(value: object): string {
  return JSON.stringify(value, null, 2);
}
