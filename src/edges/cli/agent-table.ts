import Table from 'cli-table3';
import { formatUnits } from '../../base/shared/money.js';
import type { Purchase, SettlementMark } from './agent-buyer.js';

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
  const { request, amount, decimals, status, settlement, receipt, milliseconds, error } = purchase;
  return [
    `${request.method} ${request.path}`,
    amount === undefined ? '–' : priced(amount, decimals),
    status ?? '–',
    error ?? wordsOf(settlement),
    RECEIPT_WORDS[receipt.state],
    Math.round(milliseconds),
  ];
}

function wordsOf(settlement: SettlementMark): string {
  if (settlement.state === 'settled') return `settled ${shorten(settlement.transaction)}`;
  return settlement.state === 'committed' ? `committed ${shorten(settlement.commitment)}` : settlement.state;
}

function totals(purchases: readonly Purchase[]): string {
  const paid = purchases.filter(succeeded);
  const settled = paid.filter(({ settlement }) => settlement.state === 'settled').length;
  const committed = paid.filter(({ settlement }) => settlement.state === 'committed').length;
  const verified = paid.filter(({ receipt }) => receipt.state === 'verified').length;
  return [
    `${paid.length} paid for ${spentOn(paid)}`,
    ...(committed > 0 ? [`${committed} committed`] : []),
    `${settled} settled`,
    `${paid.length - settled - committed} pending`,
    `${verified} receipts verified`,
    `${purchases.length - paid.length} failed`,
  ].join(', ');
}

/** Answered, paid for or committed to, and with a receipt that holds if there is one. */
export function succeeded({ error, amount, settlement, receipt }: Purchase): boolean {
  const pays = settlement.state !== 'failed' && settlement.state !== 'none';
  return error === undefined && amount !== undefined && pays && receipt.state !== 'invalid';
}

/** Amounts of tokens with other decimals are not added up. */
function spentOn(paid: readonly Purchase[]): string {
  const sums = new Map<number | undefined, bigint>();
  for (const { amount = 0n, decimals } of paid) sums.set(decimals, (sums.get(decimals) ?? 0n) + amount);
  return [...sums].map(([decimals, sum]) => priced(sum, decimals)).join(' and ') || '$0';
}

/** An unknown token is no dollar, and its decimals are not guessed. */
function priced(amount: bigint, decimals: number | undefined): string {
  return decimals === undefined ? `${amount} atomic units` : `$${formatUnits(amount, decimals)}`;
}

function shorten(hash: string): string {
  return `${hash.slice(0, 8)}…${hash.slice(-4)}`;
}
