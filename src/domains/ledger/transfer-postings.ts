import type { StoredEvent } from '../../base/event-store/event.js';
import type { Explanation, TransferEvent, WalletTransfer } from '../payments/transfer.js';
import type { WalletOpened } from '../settlement/wallet.js';
import { type Account, tokenAsset } from './chart.js';
import { type Entry, Lines } from './lines.js';
import type { Transfer } from './transfer.js';

type Posting = Exclude<TransferEvent, { readonly type: 'TransferClaimed' }>['type'] | WalletOpened['type'];

const OWNER_WITHDRAWALS: Account = { kind: 'owner_withdrawals', party: '' };
const OPENING_BALANCE: Account = { kind: 'opening_balance', party: '' };

const walletOf = ({ wallet }: Pick<WalletTransfer, 'wallet'>): Account => ({ kind: 'wallet', party: wallet });
const suspenseOf = ({ counterparty }: WalletTransfer): Account => ({ kind: 'suspense', party: counterparty });

const receiptOf = (data: WalletTransfer): Entry => ({
  code: 'receipt',
  debit: walletOf(data),
  credit: suspenseOf(data),
});
const withdrawalOf = (data: WalletTransfer): Entry => ({
  code: 'withdrawal',
  debit: OWNER_WITHDRAWALS,
  credit: walletOf(data),
});

/** Where money goes of which somebody said what it was. What was returned left the wallet as if the owner had taken it. */
const explained: Readonly<Record<Explanation, Account>> = {
  owner_deposit: { kind: 'owner_deposits', party: '' },
  income: { kind: 'other_income', party: '' },
  returned: OWNER_WITHDRAWALS,
};
const explanationOf = (data: Moved): Entry => ({
  code: 'explanation',
  debit: suspenseOf(data),
  credit: explained[data.as!],
});

/** What the events of wallets have in common. */
type Moved = WalletTransfer & { readonly balance?: string; readonly as?: Explanation };

/** What each event of a wallet moves, whatever came before it. */
const entries: Readonly<Record<Posting, (data: Moved) => Entry>> = {
  WalletOpened: (data) => ({ code: 'opening', debit: walletOf(data), credit: OPENING_BALANCE }),
  InboundTransferFound: receiptOf,
  InboundTransferReverted: (data) => reversed('receipt_reversal', receiptOf(data)),
  InboundTransferMatched: (data) => reversed('receipt_reversal', receiptOf(data)),
  InboundTransferExplained: explanationOf,
  InboundTransferExplanationWithdrawn: (data) => reversed('explanation_reversal', explanationOf(data)),
  OutboundTransferFound: withdrawalOf,
  OutboundTransferReverted: (data) => reversed('withdrawal_reversal', withdrawalOf(data)),
  OutboundTransferClaimed: (data) => reversed('withdrawal_reversal', withdrawalOf(data)),
};

export const walletTypes = Object.keys(entries) as readonly Posting[];

export function isOfWallet(event: StoredEvent): boolean {
  return event.type in entries;
}

/** Pure: money in a wallet that no payment explains, and its corrections. */
export function postOfWallet(event: StoredEvent): readonly Transfer[] {
  const data = event.data as unknown as Moved;
  const amount = BigInt(data.balance ?? data.amount);
  if (amount === 0n) return [];
  const lines = new Lines(event, { tenant: event.tenant, asset: tokenAsset(data.network, data.asset) }, amount);
  lines.posted(entries[event.type as Posting](data));
  return lines.transfers;
}

function reversed(code: Entry['code'], { credit, debit }: Entry): Entry {
  return { code, debit: credit, credit: debit };
}
