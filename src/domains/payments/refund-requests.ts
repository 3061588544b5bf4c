import type { ChainHead } from '../../base/chain/chain.js';
import { VersionConflict } from '../../base/event-store/event.js';
import type { EventStore } from '../../base/event-store/event-store.js';
import { type Clock, epochSeconds } from '../../base/shared/clock.js';
import type { Address, Network } from '../../base/shared/hex.js';
import { Problem } from '../../base/shared/problem.js';
import { loadPayment, type PaymentAfter } from './handler-for.js';
import type { PaymentId } from './payment.js';
import { isRefundable, requestOf } from './payment.refund.js';
import { RequestRefund, type WantedRefund } from './refund.decide.js';
import { type RefundReason, type RefundSource, type RequestedRefund, refundIdOf } from './refund.js';
import { type Known, RACES_MAX } from './refunds.js';

/** How long the refund wallet's authorization can be used: time enough to fill the wallet. Seconds. */
const VALIDITY_SECONDS = 86_400n;

export interface AskedRefund {
  /** The same key asks once. */
  readonly key: string;
  /** Atomic units, above zero; all that is left if absent. */
  readonly amount?: bigint;
  readonly from: RefundSource;
  readonly reason?: RefundReason;
}

export interface RequestPorts {
  readonly store: Pick<EventStore, 'readStream'>;
  /** May throw ChainUnavailable. */
  readonly head: (network: Network) => Promise<Pick<ChainHead, 'number' | 'time'>>;
  /** That new refunds are paid from, if there is one. */
  readonly wallet: Address | undefined;
  readonly clock: Clock;
  readonly execute: (command: RequestRefund) => Promise<PaymentAfter>;
}

export interface Requested {
  readonly state: Known;
  readonly request: RequestedRefund;
}

/** Asks for a refund. Throws a Problem for what cannot be refunded, ChainUnavailable if its chain does not answer. */
export async function requestRefund(ports: RequestPorts, id: PaymentId, asked: AskedRefund): Promise<Requested> {
  const { state } = await loadPayment(ports.store, id);
  if (state.status === 'unknown') throw new Problem('not_found');
  const { from, key, ...rest } = asked;
  const refund = refundIdOf(id, key);
  if (!isRefundable(state) && !requestOf(state, refund)) throw new Problem('payment_not_settled');
  const { number, time } = await ports.head(state.authorized.terms.network);
  const wallet = from === 'payee' ? undefined : { address: walletOf(ports), validBefore: endFrom(time, ports.clock) };
  const after = await request(ports, id, { refund, ...rest, block: number, wallet });
  return { state: after.state as Known, request: requestOf(after.state, refund)! };
}

function walletOf({ wallet }: RequestPorts): Address {
  if (wallet === undefined) throw new Problem('refund_wallet_missing');
  return wallet;
}

/** By the chain's clock, which stands still while nothing happens, or by ours. */
function endFrom(chainTime: bigint, clock: Clock): bigint {
  const now = BigInt(epochSeconds(clock()));
  return (chainTime > now ? chainTime : now) + VALIDITY_SECONDS;
}

/** Of many requests at once, each round lets one through. */
async function request({ execute }: RequestPorts, id: PaymentId, wanted: WantedRefund): Promise<PaymentAfter> {
  for (let race = 1; ; race++) {
    try {
      return await execute(new RequestRefund(id, wanted));
    } catch (error) {
      if (!(error instanceof VersionConflict) || race === RACES_MAX) throw error;
    }
  }
}
