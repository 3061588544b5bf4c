import { createHash } from 'node:crypto';
import { merkleRoot } from '../../base/event-store/seals/merkle.js';
import type { Fraction } from '../pricing/fraction.js';
import {
  formatExact,
  halfUp,
  largestRemainder,
  minus,
  parseDecimal,
  parseExact,
  subtractDecimals,
  sum,
} from './exact.js';
import type { InvoiceLine, InvoiceTax, Span } from './invoice-line.js';
import { meterPrice } from './meter-price.js';
import type { MeterCharge, TaxRate } from './settings.js';

/** Commitments of one period, route and version of a tariff that are on the invoice. */
export interface RequestsUsed {
  readonly period: Span;
  readonly route: string;
  readonly tariff: { readonly id: string; readonly version: number };
  readonly count: number;
  /** Atomic units, decimal. */
  readonly charged: string;
  /** Leaf hashes in order of position, end to end. */
  readonly leaves: Buffer;
}

/** What a meter counted in one period, at the cut before and at this one. */
export interface MeterUsed {
  readonly period: Span;
  readonly meter: string;
  readonly unit: string;
  readonly price: { readonly of: 'meter' | 'account'; readonly version: number; readonly charge: MeterCharge };
  /** Decimal. */
  readonly before: string;
  readonly now: string;
  /** Events between the cuts that count here, or take the place of one that does. */
  readonly events: number;
  readonly leaves: Buffer;
}

export interface Used {
  readonly requests: readonly RequestsUsed[];
  readonly meters: readonly MeterUsed[];
  readonly rates: readonly TaxRate[];
  /** Atomic units of the token in a minor unit. */
  readonly scale: bigint;
}

/** What an invoice says of money. */
export interface InvoiceContent {
  readonly lines: readonly InvoiceLine[];
  readonly subtotal: string;
  readonly taxes: readonly InvoiceTax[];
  readonly total: string;
  readonly residue: string;
}

type Unrounded = Omit<InvoiceLine, 'amount'>;

/** Pure: the same whatever the order of what it is made of. */
export function invoiceContent({ meters, rates, requests, scale }: Used): InvoiceContent {
  const lines = [...requests.map(requestLine), ...meters.map(meterLine)].sort(byPeriodAndKey);
  const exact = lines.map((line) => parseExact(line.exact));
  const amounts = largestRemainder(exact, scale);
  const subtotal = amounts.reduce((total, amount) => total + amount, 0n);
  const taxes = rates.map((rate) => taxOf(rate, subtotal));
  const total = taxes.reduce((sum, { amount }) => sum + BigInt(amount), subtotal);
  return {
    lines: lines.map((line, index) => ({ ...line, amount: `${amounts[index]!}` })),
    subtotal: `${subtotal}`,
    taxes,
    total: `${total}`,
    residue: formatExact(minus(whole(subtotal * scale), sum(exact))),
  };
}

function requestLine({ charged, count, leaves, period, route, tariff }: RequestsUsed): Unrounded {
  return {
    ...{ key: keyOf('req', [period.from, route, tariff.id, tariff.version]), kind: 'requests', period },
    ...{ description: route, route, tariff, quantity: `${count}`, unit: 'request', events: count },
    ...{ exact: charged, root: rootOf(leaves) },
  };
}

function meterLine({ before, events, leaves, meter, now, period, price, unit }: MeterUsed): Unrounded {
  const { charge, of, version } = price;
  const exact = minus(meterPrice(charge, now), meterPrice(charge, before));
  return {
    ...{ key: keyOf('use', [period.from, meter]), kind: 'usage', period, description: meter, meter },
    ...{ price: { of, version }, quantity: subtractDecimals(now, before), unit, events },
    ...{ exact: formatExact(exact), root: rootOf(leaves) },
  };
}

/** Half-up, once, on the subtotal. */
function taxOf({ name, percent }: TaxRate, subtotal: bigint): InvoiceTax {
  const { denominator, numerator } = parseDecimal(percent);
  const amount = halfUp({ numerator: subtotal * numerator, denominator: denominator * 100n });
  return { name, percent, taxable: `${subtotal}`, amount: `${amount}` };
}

function keyOf(kind: 'req' | 'use', parts: readonly (string | number)[]): string {
  return `${kind}_${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16)}`;
}

function rootOf(leaves: Buffer): string {
  return merkleRoot(leaves).toString('base64url');
}

/** By the beginning of the period, then by what they are for. */
function byPeriodAndKey(a: Unrounded, b: Unrounded): number {
  const [one, other] = [a, b].map(({ description, key, kind, period }) =>
    [period.from, kind, description, key].join('\n'),
  );
  return one! < other! ? -1 : 1;
}

function whole(numerator: bigint): Fraction {
  return { numerator, denominator: 1n };
}

/** Atomic units in a minor unit. @throws RangeError if the token has fewer digits than the currency */
export function scaleOf(decimals: number, minorDigits: number): bigint {
  if (decimals < minorDigits) throw new RangeError(`a token of ${decimals} digits has no minor unit`);
  return 10n ** BigInt(decimals - minorDigits);
}
