import { ExactEvmScheme, findDefaultAsset } from '@x402/evm';
import { decodePaymentResponseHeader, wrapFetchWithPayment, x402Client } from '@x402/fetch';
import { mnemonicToAccount } from 'viem/accounts';
import type { Route } from '../../domains/pricing/catalogue.schemas.js';
import { type ReceiptMark, receiptMark } from './agent-receipt.js';

/** The mnemonic of every local development chain; its second account, as the first one deploys things. */
const TEST_MNEMONIC = 'test test test test test test test test test test test junk';
const ACCOUNT_INDEX = 1;

export interface DemoRequest {
  readonly method: Route['methods'][number];
  readonly path: string;
  readonly body?: object;
}

export const demoRequests: readonly DemoRequest[] = [
  { method: 'GET', path: '/demo/weather' },
  { method: 'GET', path: '/demo/files/report.txt' },
  { method: 'POST', path: '/demo/query', body: { query: 'select 1' } },
  { method: 'POST', path: '/demo/completions', body: { prompt: 'hello' } },
  { method: 'GET', path: '/demo/slow' },
];

export type SettlementMark =
  | { readonly state: 'settled'; readonly transaction: string }
  | { readonly state: 'committed'; readonly commitment: string }
  | { readonly state: 'pending' | 'failed' | 'none' };

/** One row of the table. */
export interface Purchase {
  readonly request: DemoRequest;
  /** Atomic units that the payment signed over, or that a commitment is charged; absent if none was signed. */
  readonly amount?: bigint;
  /** Of the token, if it is one of the official clients' well-known dollars. */
  readonly decimals?: number;
  /** HTTP status; absent if no answer came. */
  readonly status?: number;
  readonly settlement: SettlementMark;
  readonly receipt: ReceiptMark;
  /** Where the full receipt can be read, if the gateway named the payment. */
  readonly receiptUrl?: string;
  readonly milliseconds: number;
  /** Why the purchase failed, in words. */
  readonly error?: string;
}

/** Another way to the gateway than its own address: a host name that leads to it, and how to get there. */
export interface Way {
  readonly origin: string;
  readonly fetch: typeof fetch;
}

/** Pays one request with the unmodified official client. Never throws: a failure is a row of the table too. */
export async function buy(
  gateway: string,
  request: DemoRequest,
  way: Way = { origin: gateway, fetch },
): Promise<Purchase> {
  const started = performance.now();
  const client = new x402Client();
  let amount: bigint | undefined;
  let decimals: number | undefined;
  client.register('eip155:*', new ExactEvmScheme(mnemonicToAccount(TEST_MNEMONIC, { addressIndex: ACCOUNT_INDEX })));
  client.onAfterPaymentCreation(async ({ selectedRequirements }) => {
    amount = BigInt(selectedRequirements.amount);
    decimals = findDefaultAsset(selectedRequirements.asset, selectedRequirements.network)?.decimals;
  });
  const elapsed = () => performance.now() - started;
  try {
    const pay = wrapFetchWithPayment(way.fetch, client);
    const response = await pay(new URL(request.path, way.origin), initOf(request));
    const text = await response.text();
    const milliseconds = elapsed();
    const header = response.headers.get('payment-response');
    const answer = header === null ? undefined : decodePaymentResponseHeader(header);
    return {
      request,
      amount,
      decimals,
      status: response.status,
      settlement: settlementMark(answer),
      receipt: await receiptMark(gateway, answer?.extensions),
      receiptUrl: receiptUrl(gateway, response.headers.get('tollbook-payment')),
      milliseconds,
      ...(response.ok ? {} : { error: reasonOf(text, answer?.errorReason) }),
    };
  } catch (error) {
    const none = { settlement: { state: 'none' }, receipt: { state: 'none' } } as const;
    return { request, amount, decimals, ...none, milliseconds: elapsed(), error: messageOf(error) };
  }
}

function receiptUrl(gateway: string, payment: string | null): string | undefined {
  return payment === null ? undefined : new URL(`/receipts/${payment}`, gateway).href;
}

export function initOf({ method, body }: DemoRequest): RequestInit {
  if (body === undefined) return { method };
  return { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
}

function settlementMark(answer: ReturnType<typeof decodePaymentResponseHeader> | undefined): SettlementMark {
  if (answer === undefined) return { state: 'none' };
  if (!answer.success) return { state: 'failed' };
  return answer.transaction === '' ? { state: 'pending' } : { state: 'settled', transaction: answer.transaction };
}

/** The stable code of a problem document, the reason of the settlement, or the beginning of whatever was sent. */
export function reasonOf(text: string, settlementReason: string | undefined): string {
  if (settlementReason) return settlementReason;
  try {
    const { code, error, detail } = JSON.parse(text) as Record<string, unknown>;
    return String(code ?? error ?? detail ?? text.slice(0, 80));
  } catch {
    return text.slice(0, 80);
  }
}

export function messageOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
