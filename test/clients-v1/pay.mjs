/**
 * One purchase with an official v1 client, in a process of its own: `node pay.mjs <fetch|axios> <url> <method> [json body]`.
 * Prints one JSON line: `{ status, body, settlement, payment }`. `PAYER_KEY` is a test key; signing needs no node.
 */
import axios from 'axios';
import { createSigner as createAxiosSigner, withPaymentInterceptor } from 'x402-axios';
import { createSigner, decodeXPaymentResponse, wrapFetchWithPayment } from 'x402-fetch';

const [client, url, method, body] = process.argv.slice(2);
const headers = body === undefined ? {} : { 'content-type': 'application/json' };

async function payWithFetch(key) {
  const pay = wrapFetchWithPayment(fetch, await createSigner('base-sepolia', key));
  const response = await pay(url, { method, headers, ...(body === undefined ? {} : { body }) });
  const settlement = response.headers.get('x-payment-response');
  const payment = response.headers.get('tollbook-payment');
  return { status: response.status, body: await response.text(), settlement, payment };
}

async function payWithAxios(key) {
  const http = axios.create({ responseType: 'text', transformResponse: parseOffer, validateStatus: (s) => s < 400 });
  const response = await withPaymentInterceptor(http, await createAxiosSigner('base-sepolia', key)).request({
    url,
    method,
    headers,
    data: body,
  });
  const settlement = response.headers['x-payment-response'];
  return {
    status: response.status,
    body: asText(response.data),
    settlement,
    payment: response.headers['tollbook-payment'],
  };
}

/** The interceptor wants the offer as an object; everything else stays the text that the server sent. */
function parseOffer(data, _headers, status) {
  return status === 402 ? JSON.parse(data) : data;
}

function asText(data) {
  return typeof data === 'string' ? data : JSON.stringify(data);
}

const pay = { fetch: payWithFetch, axios: payWithAxios }[client];
const { settlement, ...answer } = await pay(process.env.PAYER_KEY);
console.log(JSON.stringify({ ...answer, settlement: settlement ? decodeXPaymentResponse(settlement) : null }));
