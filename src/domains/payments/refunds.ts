import type { ReceiptTransfer } from '../../base/chain/transfer-logs.js';
import { type StoredEvent, VersionConflict } from '../../base/event-store/event.js';
import type { EventStore } from '../../base/event-store/event-store.js';
import type { Address, Hex, Network } from '../../base/shared/hex.js';
import { Problem } from '../../base/shared/problem.js';
import { loadPayment, type PaymentAfter } from './handler-for.js';
import { type AuthorizationTerms, type Payment, type PaymentId, paymentIdOf, paymentStream } from './payment.js';
import { isRefundable, openRequests, RecordRefund, refundBookOf, refundsOf, transferStream } from './payment.refund.js';
import { type Refund, refundNonce, transferKey } from './refund.js';
import { knownTransfer } from './transfer.js';

/** A lost race is tried again at once; somebody has won each of them. */
export const RACES_MAX = 50;

export interface RefundRequest {
  readonly transaction: Hex;
  /** Which transfer of the transaction; needed only if several could be meant. */
  readonly logIndex?: number;
}

export interface RefundPorts {
  readonly store: Pick<EventStore, 'readStream' | 'readStreams'>;
  /** Transfers of a token in one transaction; `undefined` if it is in no block. May throw ChainUnavailable. */
  readonly transfers: (network: Network, asset: Address, transaction: Hex) => Promise<ReceiptTransfer[] | undefined>;
  readonly execute: (command: RecordRefund) => Promise<PaymentAfter>;
}

export type Known = Exclude<Payment, { status: 'unknown' }>;

/** The payment's terms, the refund, and whether it had been recorded before. */
export interface Recorded {
  readonly terms: AuthorizationTerms;
  readonly refund: Refund;
  readonly repeated: boolean;
}

/**
 * Records a refund that the owner of the payee's wallet has sent: the transfer from payee to payer is read from the chain, where it
 * must be in a block. If the payee was asked for this amount, that request is fulfilled. The same transaction again gives the same answer.
 * Throws a Problem if the payment is unknown or not settled, or if no transfer, or more than one, fits.
 */
export async function recordRefund(ports: RefundPorts, id: PaymentId, request: RefundRequest): Promise<Recorded> {
  const { state } = await loadPayment(ports.store, id);
  if (state.status === 'unknown') throw new Problem('not_found');
  const { terms } = state.authorized;
  const known = recordedIn(state, request);
  if (known) return { terms, refund: known, repeated: true };
  if (!isRefundable(state) && openRequests(state).length === 0) throw new Problem('payment_not_settled');
  const refund = await readRefund(ports, state, request);
  const after = refund && (await claim(ports, id, terms, refund));
  const [event] = after?.events ?? [];
  if (event) return { terms, refund: event.data as Refund, repeated: false };
  // Somebody else was faster, most likely with the same request.
  const { state: now } = await loadPayment(ports.store, id);
  const recorded = recordedIn(now, request) ?? (after && recordedIn(now, { transaction: request.transaction }));
  if (!recorded) throw new Problem('transfer_already_counted');
  return { terms, refund: recorded, repeated: true };
}

/** `undefined` if every transfer that fits counts for something already. */
async function readRefund(ports: RefundPorts, state: Known, request: RefundRequest): Promise<Refund | undefined> {
  const { terms } = state.authorized;
  const transfers = await ports.transfers(terms.network, terms.asset, request.transaction);
  if (!transfers) throw new Problem('refund_not_mined');
  const since = isRefundable(state) ? BigInt(state.settled.blockNumber) : 0n;
  const fitting = transfers.filter((transfer) => couldRefund(terms, since, transfer, request.logIndex));
  if (fitting.length === 0) throw new Problem('refund_not_found');
  const free = await freeOf(ports.store, state, fitting);
  if (free.length > 1)
    throw new Problem('refund_ambiguous', `log_index: ${free.map(({ logIndex }) => logIndex).join(', ')}`);
  return free[0] && refundOf(free[0], state);
}

/** `undefined` if the transfer was claimed meanwhile. Of many refunds of one payment at once, each round records one. */
async function claim(
  { execute, store }: RefundPorts,
  id: PaymentId,
  { network }: AuthorizationTerms,
  refund: Refund,
): Promise<PaymentAfter | undefined> {
  for (let race = 1; ; race++) {
    // The reconciler may have found the transfer, and taken it for the owner's.
    const transfer = knownTransfer(await store.readStream(transferStream(network, refund)));
    if (transfer.state.claimedBy !== undefined && transfer.state.claimedBy !== id) return undefined;
    try {
      return await execute(new RecordRefund(id, refund, transfer));
    } catch (error) {
      if (!(error instanceof VersionConflict) || race === RACES_MAX) throw error;
    }
  }
}

function recordedIn(state: Payment, { logIndex, transaction }: RefundRequest): Refund | undefined {
  return refundsOf(state).find(
    (refund) => refund.transaction === transaction && (logIndex ?? refund.logIndex) === refund.logIndex,
  );
}

function couldRefund(terms: AuthorizationTerms, since: bigint, transfer: ReceiptTransfer, logIndex?: number): boolean {
  if (logIndex !== undefined && transfer.logIndex !== logIndex) return false;
  const { blockNumber, from, to, value } = transfer;
  return from === terms.payee && to === terms.payer && value > 0n && blockNumber >= since;
}

/**
 * The transfers that count for nothing else yet: neither for another refund nor as a payment that the payee made. One that this
 * payment had claimed before a reorganization is its own still.
 */
export async function freeOf(
  store: Pick<EventStore, 'readStreams'>,
  state: Known,
  transfers: readonly ReceiptTransfer[],
): Promise<readonly ReceiptTransfer[]> {
  const { terms } = state.authorized;
  const { claimed } = refundBookOf(state);
  const uses = transfers.map((one) => (claimed.includes(transferKey(one)) ? [] : usesOf(terms, one)));
  const used = await store.readStreams(uses.flat());
  return transfers.filter((_, index) => !uses[index]!.some((stream) => isTaken(used.get(stream) ?? [])));
}

/** A payment, or a transfer that refunds one: not one that the reconciler found, and nobody has said what it is for. */
function isTaken(stored: readonly StoredEvent[]): boolean {
  const [first] = stored;
  if (first === undefined) return false;
  return first.type === 'PaymentAuthorized' || knownTransfer(stored).state.claimedBy !== undefined;
}

/** Streams that exist if the transfer counts for something already. */
function usesOf({ asset, network }: AuthorizationTerms, transfer: ReceiptTransfer): string[] {
  const { authorization, from: payer } = transfer;
  const claim = transferStream(network, transfer);
  if (!authorization) return [claim];
  return [claim, paymentStream(paymentIdOf({ network, asset, payer, nonce: authorization }))];
}

/** Where the payee's wallet is the refund wallet, its authorization says which request was sent. */
function refundOf(transfer: ReceiptTransfer, state: Known): Refund {
  const { authorization, blockHash, blockNumber, from, logIndex, transaction, value } = transfer;
  const sent = openRequests(state).find(({ refund }) => refundNonce(refund) === authorization);
  return {
    ...(sent && { refund: sent.refund }),
    amount: value.toString(),
    ...(sent?.from === 'refund_wallet' && { sender: from }),
    ...{ transaction, blockNumber: blockNumber.toString(), blockHash, logIndex },
  };
}
