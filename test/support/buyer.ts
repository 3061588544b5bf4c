import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { wrapAxiosWithPaymentFromConfig } from '@x402/axios';
import { decodePaymentResponseHeader } from '@x402/core/http';
import { ExactEvmScheme } from '@x402/evm';
import { wrapFetchWithPaymentFromConfig } from '@x402/fetch';
import axios from 'axios';
import { toHex } from 'viem';
import { type HDAccount, mnemonicToAccount, type PrivateKeyAccount } from 'viem/accounts';

/** What to buy. */
export interface Purchase {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly body?: object;
}

/** What a client got for its money. */
export interface Bought {
  readonly status: number;
  readonly body: string;
  /** The decoded `PAYMENT-RESPONSE` or `X-PAYMENT-RESPONSE`. */
  readonly settlement: {
    readonly success: boolean;
    readonly transaction: string;
    readonly network: string;
    readonly payer?: string;
    readonly amount?: string;
    readonly extensions?: Record<string, unknown>;
  };
  /** Tollbook's id of the payment, for `GET /receipts/{id}`. */
  readonly payment: string;
}

export type OfficialClient = (purchase: Purchase) => Promise<Bought>;

const TEST_MNEMONIC = 'test test test test test test test test test test test junk';
const CLIENTS_V1 = join(dirname(fileURLToPath(import.meta.url)), '..', 'clients-v1', 'pay.mjs');
const jsonType = { 'content-type': 'application/json' };

/** One of the ten accounts that hold USDC on the embedded chain; index 0 to 9. */
export function testAccount(index: number) {
  return mnemonicToAccount(TEST_MNEMONIC, { addressIndex: index });
}

/** `fetch` that pays with the unmodified official v2 client, for tests that look at the whole response. */
export function payingFetch(account: HDAccount | PrivateKeyAccount): typeof fetch {
  const schemes = [{ network: 'eip155:84532' as const, client: new ExactEvmScheme(account) }];
  return wrapFetchWithPaymentFromConfig(fetch, { schemes }) as typeof fetch;
}

export function fetchV2(index: number): OfficialClient {
  const pay = payingFetch(testAccount(index));
  return async ({ url, method, body }) => {
    const response = await pay(url, { method, ...(body ? { body: JSON.stringify(body), headers: jsonType } : {}) });
    return {
      status: response.status,
      body: await response.text(),
      settlement: decodePaymentResponseHeader(response.headers.get('payment-response') ?? ''),
      payment: response.headers.get('tollbook-payment') ?? '',
    };
  };
}

export function axiosV2(index: number): OfficialClient {
  const schemes = [{ network: 'eip155:84532' as const, client: new ExactEvmScheme(testAccount(index)) }];
  const pay = wrapAxiosWithPaymentFromConfig(axios.create({ responseType: 'text', transformResponse: [] }), {
    schemes,
  });
  return async ({ url, method, body }) => {
    const { status, data, headers } = await pay.request<string>({ url, method, data: body, headers: jsonType });
    const settlement = decodePaymentResponseHeader(headers['payment-response']);
    return { status, body: data, settlement, payment: headers['tollbook-payment'] };
  };
}

/** The v1 clients have dependencies of their own, so they run in a process of their own. */
export function clientV1(client: 'fetch' | 'axios', index: number): OfficialClient {
  const key = toHex(testAccount(index).getHdKey().privateKey!);
  return async ({ url, method, body }) => {
    const args = [CLIENTS_V1, client, url, method, ...(body ? [JSON.stringify(body)] : [])];
    const env = { PATH: process.env.PATH, PAYER_KEY: key };
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const [output, errors] = await Promise.all([read(child.stdout), read(child.stderr)]);
    if (output === '') throw new Error(`x402-${client} failed: ${errors}`);
    return JSON.parse(output) as Bought;
  };
}

async function read(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += chunk;
  return text;
}
