import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Token } from '../../../base/chain/chain.js';
import type { ChainClient } from '../../../base/chain/chain-client.js';
import { type ReceiptTransfer, type TransferLog, transfersOf } from '../../../base/chain/transfer-logs.js';
import { ofStreams } from '../../../base/event-store/stream-key.js';
import type { Hex } from '../../../base/shared/hex.js';
import { type PaymentId, paymentIdOf, paymentOfStream, paymentStream } from '../../payments/payment.js';
import { transferStream } from '../../payments/payment.refund.js';
import type { NamedTransfer } from './chain.sql.js';
import { notOfRefunds } from './refund.sql.js';

const POLL_MS = 500;

/** Last events after which a payment's transfer may be on the chain and its `PaymentSettled` not in the log yet. */
const OPEN = [
  'PaymentAuthorized',
  'DeliveryRestarted',
  'RequestDelivered',
  'SettlementSubmitted',
  'SettlementDelegated',
  'SettlementReverted',
];

const OF_SETTLEMENT = ['SettlementSubmitted', 'PaymentSettled', 'PaymentSettlementFailed', 'SettlementReverted'];

/** Asks anew about what the first look did not explain: the log and the chain move on while they are read. */
export class Doubts {
  constructor(
    private readonly pool: Pool,
    private readonly client: ChainClient,
  ) {}

  /**
   * Of transfers to a wallet that nothing named at the snapshot: those of payments that are being settled, or were
   * meanwhile. For the others, the payment that was not to be settled any more, if it was one. Throws ChainUnavailable.
   */
  async incoming(token: Token, transfers: readonly TransferLog[]): Promise<Map<TransferLog, Incoming>> {
    const hashes = [...new Set(transfers.map(({ transaction }) => transaction))];
    const receipts = await Promise.all(hashes.map((hash) => transfersOf(this.client, token, hash)));
    const byLog = new Map(receipts.flatMap((list) => list ?? []).map((one) => [keyOf(one), one]));
    const payments = new Map(transfers.map((one) => [one, paymentOf(token, byLog.get(keyOf(one)))]));
    const ids = [...payments.values()].filter((id) => id !== undefined);
    const [lasts, written] = await Promise.all([this.lastOf(ids), this.written(token, 'in', transfers)]);
    return new Map(
      [...payments].map(([transfer, payment]) => {
        const last = payment && lasts.get(payment);
        const inFlight = written.has(transfer) || (last !== undefined && isOnItsWay(last, transfer));
        return [transfer, { payment: last && payment, inFlight }];
      }),
    );
  }

  /** Of transfers out of a wallet: those that were recorded since the snapshot, as a refund or as the owner's. */
  outgoing(token: Token, transfers: readonly TransferLog[]): Promise<Set<TransferLog>> {
    return this.written(token, 'out', transfers);
  }

  /** Those that are in the log now, or are known to wait for the end of their payment. */
  private async written<T extends Pick<TransferLog, 'logIndex' | 'transaction'>>(
    { network }: Token,
    direction: 'in' | 'out',
    transfers: readonly T[],
  ): Promise<Set<T>> {
    const streams = new Map<string, T>(transfers.map((one) => [transferStream(network, one), one]));
    const { rows } = await this.pool.query<{ stream: string }>(
      `select stream from (select distinct on (stream) stream, type from events where ${ofStreams} and type like any($2)
         order by stream, version desc) as last where type like '%Found' or type like '%Claimed' or type like '%Explained'
       union select 'transfer/' || network || '/' || transaction || '/' || log_index from chain_transfers
       where network = $3 and direction = $4 and state = 'in_flight' and transaction = any($5::text[])`,
      [
        [...streams.keys()],
        direction === 'in' ? ['InboundTransfer%'] : ['OutboundTransfer%', 'TransferClaimed'],
        network,
        direction,
        transfers.map(({ transaction }) => transaction),
      ],
    );
    return new Set(rows.flatMap(({ stream }) => streams.get(stream) ?? []));
  }

  /**
   * Waits until the log does not name these transfers any more, or the chain has them, for at most `graceMs`. Returns
   * those that stay named and absent.
   */
  async absent(token: Token, named: readonly NamedTransfer[], graceMs: number): Promise<readonly NamedTransfer[]> {
    const end = performance.now() + graceMs;
    for (let left = named; ; await sleep(POLL_MS)) {
      left = await this.stillAbsent(token, left);
      if (left.length === 0 || performance.now() >= end) return left;
    }
  }

  private async stillAbsent(token: Token, named: readonly NamedTransfer[]): Promise<NamedTransfer[]> {
    const lasts = await this.lastOf(named.flatMap(({ payment }) => payment ?? []));
    const found = await this.stillFound(token, named);
    const kept = named.filter((one) => {
      if (one.kind === 'receipt' || one.kind === 'withdrawal') return found.has(one);
      return one.kind === 'refund' || isStillNamed(one, lasts.get(one.payment!));
    });
    const moved = await Promise.all(kept.map(({ transaction }) => transfersOf(this.client, token, transaction)));
    return kept.filter((one, n) => !moved[n]?.some((log) => isNamed(one, log)));
  }

  private async stillFound(token: Token, named: readonly NamedTransfer[]): Promise<Set<NamedTransfer>> {
    const of = (kind: NamedTransfer['kind']) => named.filter((one) => one.kind === kind);
    const receipts = await this.written(token, 'in', of('receipt'));
    return new Set([...receipts, ...(await this.written(token, 'out', of('withdrawal')))]);
  }

  /** The last event of each payment that says where its money is: of settlements, if there is one, since deliveries may follow. */
  private async lastOf(ids: readonly PaymentId[]): Promise<Map<PaymentId, Last>> {
    const { rows } = await this.pool.query<Last & { stream: string }>(
      `select distinct on (stream) stream, type, data->>'transaction' as transaction, data->>'blockNumber' as "blockNumber",
         (data->>'logIndex')::int as "logIndex"
       from events where ${ofStreams} and ${notOfRefunds('type')}
       order by stream, (type = any($2::text[])) desc, version desc`,
      [ids.map(paymentStream), OF_SETTLEMENT],
    );
    return new Map(rows.map((row) => [paymentOfStream(row.stream), row]));
  }
}

export interface Incoming {
  /** The payment whose authorization made the transfer, if Tollbook knows it. */
  readonly payment: PaymentId | undefined;
  readonly inFlight: boolean;
}

interface Last {
  readonly type: string;
  readonly transaction: Hex | null;
  readonly blockNumber: string | null;
  readonly logIndex: number | null;
}

function isOnItsWay(last: Last, transfer: TransferLog): boolean {
  if (OPEN.includes(last.type)) return true;
  return (
    last.type === 'PaymentSettled' && last.transaction === transfer.transaction && last.logIndex === transfer.logIndex
  );
}

function isStillNamed({ blockNumber, transaction }: NamedTransfer, last: Last | undefined): boolean {
  return last?.type === 'PaymentSettled' && last.transaction === transaction && last.blockNumber === blockNumber;
}

function isNamed(named: NamedTransfer, log: TransferLog): boolean {
  return log.blockNumber === BigInt(named.blockNumber) && log.logIndex === named.logIndex;
}

/** The claim that the transfer used up, as every gateway computes it. */
function paymentOf({ address: asset, network }: Token, transfer: ReceiptTransfer | undefined): PaymentId | undefined {
  if (transfer?.authorization === undefined) return undefined;
  return paymentIdOf({ network, asset, payer: transfer.from, nonce: transfer.authorization });
}

function keyOf({ logIndex, transaction }: Pick<TransferLog, 'logIndex' | 'transaction'>): string {
  return `${transaction} ${logIndex}`;
}
