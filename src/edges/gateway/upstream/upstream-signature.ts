import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** What the upstream is told about the payment behind a request. No value may hold a line break. */
export interface PaymentStamp {
  readonly payment: string;
  /** Lower-case address of the payer. */
  readonly payer: string;
  /** Price paid, in atomic units of `asset`, as a decimal string. */
  readonly amount: string;
  /** The asset, CAIP-19, such as `eip155:84532/erc20:0x036c…`. */
  readonly asset: string;
  /** When the gateway forwarded the request, in epoch seconds. */
  readonly timestamp: number;
  /** Class of service that was paid for, if the price has classes: what the upstream owes, whatever the request names. */
  readonly class?: string;
}

const SCHEME = 'tollbook-upstream-v1';

/**
 * Lower-case hex HMAC-SHA256 (RFC 2104) over the UTF-8 text of six lines joined by `\n`, without a line break at the end:
 * `tollbook-upstream-v1`, payment, payer, amount, asset, timestamp; with a class it is the seventh line. The key is the UTF-8 text of the tenant's upstream secret.
 */
export function signStamp(stamp: PaymentStamp, secret: string): string {
  const { payment, payer, amount, asset, timestamp } = stamp;
  const lines = `${SCHEME}\n${payment}\n${payer}\n${amount}\n${asset}\n${timestamp}`;
  const text = stamp.class === undefined ? lines : `${lines}\n${stamp.class}`;
  return createHmac('sha256', secret).update(text).digest('hex');
}

/** Appends the `Tollbook-*` headers of a stamp to a flat header list. */
export function addStamp(headers: string[], stamp: PaymentStamp, secret: string): void {
  headers.push('Tollbook-Payment', stamp.payment, 'Tollbook-Payer', stamp.payer, 'Tollbook-Amount', stamp.amount);
  headers.push('Tollbook-Asset', stamp.asset, 'Tollbook-Timestamp', String(stamp.timestamp));
  if (stamp.class !== undefined) headers.push('Tollbook-Class', stamp.class);
  headers.push('Tollbook-Signature', signStamp(stamp, secret));
}

/** Largest difference between the stamp's clock and the upstream's, in seconds. */
const CLOCK_DIFFERENCE_MAX = 300;

/**
 * What an upstream does first with every request: `undefined` means that it did not come through Tollbook, or is older
 * than five minutes. An upstream that must not run a payment twice also remembers payment ids for that long.
 * @param now epoch milliseconds
 */
export function verifyStamp(headers: IncomingHttpHeaders, secret: string, now: number): PaymentStamp | undefined {
  const payment = headers['tollbook-payment'];
  const payer = headers['tollbook-payer'];
  const amount = headers['tollbook-amount'];
  const asset = headers['tollbook-asset'];
  const sent = headers['tollbook-timestamp'];
  const signature = headers['tollbook-signature'];
  if (typeof payment !== 'string' || typeof payer !== 'string' || typeof amount !== 'string') return undefined;
  if (typeof asset !== 'string' || typeof sent !== 'string' || typeof signature !== 'string') return undefined;
  if (!/^[0-9]{1,12}$/.test(sent)) return undefined;
  const chosen = headers['tollbook-class'];
  if (chosen !== undefined && (typeof chosen !== 'string' || chosen === '')) return undefined;
  const stamp: PaymentStamp = { payment, payer, amount, asset, timestamp: Number(sent), class: chosen };
  if (Math.abs(now / 1000 - stamp.timestamp) > CLOCK_DIFFERENCE_MAX) return undefined;
  const expected = Buffer.from(signStamp(stamp, secret));
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected) ? stamp : undefined;
}
