import Table from 'cli-table3';
import { formatUnits } from '../../base/shared/money.js';
import type { Purchase } from './agent-buyer.js';

/** The demo tenant is paid in USDC. */
const USDC_DECIMALS = 6;
const RECEIPT_WORDS = { verified: '✓ verified', invalid: '✗ invalid', none: '–' } as const;

/** The table of all purchases, where to read the last receipt, and a line of totals. */
export function renderPurchases(purchases: readonly Purchase[]): string {
  const table = new Table({
    head: ['#', 'route', 'price', 'status', 'settlement', 'receipt', 'ms'],
    colAligns: ['right', 'left', 'right', 'right', 'left', 'left', 'right'],
    style: { head: [], border: [], compact: true },
  });
  purchases.forEach((purchase, index) => {
    table.push([index + 1, ...rowOf(purchase)]);
  });
  const receipt = purchases.findLast(({ receiptUrl }) => receiptUrl !== undefined)?.receiptUrl;
  return [table.toString(), ...(receipt ? [`last receipt: ${receipt}`] : []), totals(purchases)].join('\n');
}

function rowOf(purchase: Purchase): (string | number)[] {
  const { request, amount, status, settlement, receipt, milliseconds, error } = purchase;
  return [
    `${request.method} ${request.path}`,
    amount === undefined ? '–' : usd(amount),
    status ?? '–',
    error ?? (settlement.state === 'settled' ? `settled ${shorten(settlement.transaction)}` : settlement.state),
    RECEIPT_WORDS[receipt.state],
    Math.round(milliseconds),
  ];
}

function totals(purchases: readonly Purchase[]): string {
  const paid = purchases.filter(succeeded);
  const spent = paid.reduce((sum, { amount }) => sum + (amount ?? 0n), 0n);
  const settled = paid.filter(({ settlement }) => settlement.state === 'settled').length;
  const verified = paid.filter(({ receipt }) => receipt.state === 'verified').length;
  return [
    `${paid.length} paid for ${usd(spent)}`,
    `${settled} settled`,
    `${paid.length - settled} pending`,
    `${verified} receipts verified`,
    `${purchases.length - paid.length} failed`,
  ].join(', ');
}

/** Answered, paid for, and with a receipt that holds. */
export function succeeded({ error, amount, settlement, receipt }: Purchase): boolean {
  const settles = settlement.state === 'settled' || settlement.state === 'pending';
  return error === undefined && amount !== undefined && settles && receipt.state !== 'invalid';
}

function usd(amount: bigint): string {
  return `$${formatUnits(amount, USDC_DECIMALS)}`;
}

function shorten(hash: string): string {
  return `${hash.slice(0, 8)}…${hash.slice(-4)}`;
}
