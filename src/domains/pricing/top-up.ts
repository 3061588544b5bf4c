import type { Route } from './catalogue.schemas.js';
import type { Charge } from './charges/charge.js';
import type { Quantity } from './request/quantity.schemas.js';
import type { Tariff } from './tariff.schemas.js';

/** Name of the route and of its tariff; nobody can publish one of that name, since theirs begin with a letter or a digit. */
export const TOP_UP = '-top-up';
/** Name of the route by which an invoice is paid: a top-up of its account, of what is outstanding. */
export const INVOICE = '-invoice';

/** Digits of an amount: more than any token has. */
const AMOUNT = /^[1-9][0-9]{0,29}$/;
const AMOUNT_MAX = 10n ** 30n;

/**
 * By which every tenant's accounts are paid into, an `exact` resource like any other: `amount` atomic units cost as much. The answer
 * goes out when the money has moved, and is made here, so it may be made again.
 */
export function topUpRoute(tenant: string): Route {
  return {
    id: TOP_UP,
    tenant,
    methods: ['GET', 'POST'],
    pattern: '/-/accounts/:customer/top-up',
    upstreamPath: '/',
    description: 'Top-up of an account',
    mimeType: 'application/json',
    mode: 'after',
    idempotent: true,
    chargeClientErrors: false,
    maxTimeoutSeconds: 300,
    timeoutMs: 1_000,
    tariff: TOP_UP,
    maxBodyBytes: 1_024,
  };
}

/** By which every tenant's invoices are paid. What is asked of whom is looked up, and then priced as a top-up of that amount. */
export function invoiceRoute(tenant: string): Route {
  return {
    ...topUpRoute(tenant),
    ...{ id: INVOICE, methods: ['GET'], pattern: '/-/invoices/:invoice', description: 'Payment of an invoice' },
  };
}

/** Its one version, in force for ever. */
export function topUpTariff(tenant: string) {
  const bounds = { default: AMOUNT_MAX, maximum: AMOUNT_MAX };
  const quantity: Quantity = { source: 'field', field: { in: 'query', name: 'amount' }, ...bounds };
  const charge: Charge = { model: 'per_unit', amount: 1n, per: 1n, quantity, over: 'request' };
  const tariff: Tariff = { charges: [charge], modifiers: [] };
  return { tenant, id: TOP_UP, version: 1, effectiveFrom: 0, tariff };
}

/** The amount that a query names, in atomic units: once, in decimal. */
export function topUpAmount(query: string): bigint | undefined {
  const [amount, ...more] = new URLSearchParams(query).getAll('amount');
  return amount !== undefined && more.length === 0 && AMOUNT.test(amount) ? BigInt(amount) : undefined;
}
