import { randomUUID } from 'node:crypto';
import { epochSeconds } from '../../base/shared/clock.js';
import type { PaidCall } from './paid-call.js';
import type { UpstreamRequest } from './upstream/upstream.js';
import type { PaymentStamp } from './upstream/upstream-signature.js';

const BODY_IDLE_MS = 30_000;
const EXCHANGE_MS_MAX = 600_000;

/** What the provider is asked, and told about who pays how much. @param now epoch milliseconds */
export function upstreamRequest(
  call: PaidCall,
  { amount, class: served, payer, payment }: Pick<PaymentStamp, 'payment' | 'payer' | 'amount' | 'class'>,
  signal: AbortSignal,
  now: number,
): UpstreamRequest {
  const { body, message, route, tenant, token } = call;
  return {
    origin: tenant.upstream,
    allowPrivate: tenant.allowPrivateUpstream,
    method: call.method,
    path: call.upstreamPath + call.query,
    rawHeaders: message.rawHeaders,
    passAuthorization: true,
    body,
    requestId: randomUUID(),
    stamp: {
      payment,
      payer,
      amount,
      asset: `${token.network}/erc20:${token.address}`,
      timestamp: epochSeconds(now),
      class: served,
    },
    secret: tenant.upstreamSecret,
    timeouts: { headers: route.timeoutMs, bodyIdle: BODY_IDLE_MS, total: EXCHANGE_MS_MAX },
    signal,
  };
}
