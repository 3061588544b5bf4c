import type { Address, Network } from '../../base/shared/hex.js';

/** Assets and expenses grow by debits; liabilities, equity and income by credits; contra accounts take from equity or income, by debits. */
export type AccountClass = 'asset' | 'liability' | 'equity' | 'contra_equity' | 'income' | 'contra_income' | 'expense';

/** The chart of accounts: every kind with its class. README.md says what each is for. */
export const chart = {
  wallet: 'asset',
  refund_wallet: 'asset',
  settlement_in_transit: 'asset',
  customer_receivable: 'asset',
  unbilled: 'asset',
  gas_wallet: 'asset',
  processor_balance: 'asset',
  bank: 'asset',
  card_clearing: 'liability',
  prepaid_balance: 'liability',
  deferred_revenue: 'liability',
  refunds_owed: 'liability',
  tax_payable: 'liability',
  suspense: 'liability',
  opening_balance: 'equity',
  owner_deposits: 'equity',
  owner_withdrawals: 'contra_equity',
  revenue: 'income',
  other_income: 'income',
  refunds: 'contra_income',
  disputes: 'contra_income',
  processor_fees: 'expense',
  network_fees: 'expense',
  rounding: 'expense',
  write_off: 'expense',
} as const satisfies Record<string, AccountClass>;

export type AccountKind = keyof typeof chart;

export const accountKinds = Object.keys(chart) as readonly AccountKind[];

/** True if a debit raises the balance of such an account. */
export function isDebitNormal(kind: AccountKind): boolean {
  const accountClass: AccountClass = chart[kind];
  return accountClass !== 'liability' && accountClass !== 'equity' && accountClass !== 'income';
}

/** Everything that one tenant has in one asset; transfers never cross books. */
export interface Book {
  readonly tenant: string;
  /** CAIP-19 id, or an ISO 4217 code. */
  readonly asset: string;
}

/** An account within a book. */
export interface Account {
  readonly kind: AccountKind;
  /** Whose it is: the payer, payee, sender or settler; empty where the tenant has only one of the kind. */
  readonly party: string;
}

/** CAIP-19 id of a token. */
export function tokenAsset(network: Network, token: Address): string {
  return `${network}/erc20:${token}`;
}

/** SLIP-44 number of Ether, which CAIP-19 uses for the coin that pays gas on an EVM chain. */
const ETHER = 60;

/** CAIP-19 id of the coin that pays gas; amounts in wei. */
export function gasAsset(network: Network): string {
  return `${network}/slip44:${ETHER}`;
}
