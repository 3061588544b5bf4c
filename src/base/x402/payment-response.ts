import type { Address, Hex, Network } from '../shared/hex.js';
import { COMMITMENT_NETWORK } from './commitment-offer.js';
import { type Reason, sentenceOf, v1ReasonOf } from './errors.js';
import { encodeHeader, PAYMENT_RESPONSE, X_PAYMENT_RESPONSE } from './headers.js';
import { v1NameOf } from './networks.js';

interface Answered {
  readonly network: Network;
  readonly payer: Address;
  /** Atomic units. */
  readonly amount: bigint;
  /** For example the receipt, under its extension key. Version 2 only. */
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}

/** How a payment stands when the reply is sent. */
export type SettlementAnswer =
  | ({ readonly outcome: 'settled'; readonly transaction: Hex } & Answered)
  /** Accepted, not yet on the chain. */
  | ({ readonly outcome: 'pending' } & Answered)
  | {
      readonly outcome: 'failed';
      readonly reason: Reason;
      readonly network: Network;
      readonly payer?: Address | undefined;
    };

/** `PAYMENT-RESPONSE` (version 2) or `X-PAYMENT-RESPONSE` (version 1), to answer in the version that was spoken. */
export function encodeSettlement(answer: SettlementAnswer, version: 1 | 2): Record<string, string> {
  return version === 2
    ? { [PAYMENT_RESPONSE]: encodeHeader(JSON.stringify(settleResponse(answer))) }
    : { [X_PAYMENT_RESPONSE]: encodeHeader(JSON.stringify(settleResponseV1(answer))) };
}

/** A request that is owed: charged is what counts, held is what it could have cost. In atomic units. */
export interface CommitmentAnswer {
  readonly commitment: string;
  /** Id of the account. */
  readonly customer: string;
  /** Absent while it is not known, since the answer is still on its way. */
  readonly charged?: bigint | undefined;
  readonly held: bigint;
}

/** `PAYMENT-RESPONSE` of a commitment: its id stands where a transaction would, since the scheme wants one that is not empty. */
export function encodeCommitment({ charged, commitment, customer, held }: CommitmentAnswer): Record<string, string> {
  const known = charged === undefined ? { state: 'pending' } : { charged: charged.toString() };
  const extra = { commitmentId: commitment, ...known, held: held.toString() };
  const answer = { success: true, payer: customer, transaction: commitment, network: COMMITMENT_NETWORK };
  const amount = (charged ?? held).toString();
  return { [PAYMENT_RESPONSE]: encodeHeader(JSON.stringify({ ...answer, amount, extra })) };
}

/** SettleResponse of the version 2 specification, section 5.3; `transaction` is empty while there is none. */
function settleResponse(answer: SettlementAnswer): object {
  const { network, payer } = answer;
  if (answer.outcome === 'failed') {
    const { reason } = answer;
    return { success: false, errorReason: reason, errorMessage: sentenceOf(reason), payer, transaction: '', network };
  }
  const { amount, extensions } = answer;
  const extra = answer.outcome === 'pending' ? { state: 'pending' } : undefined;
  const transaction = transactionOf(answer);
  return { success: true, payer, transaction, network, amount: amount.toString(), extensions, extra };
}

/** Version 1 knows neither amount nor extensions, has short network names, and a closed list of reasons. */
function settleResponseV1(answer: SettlementAnswer): object {
  const network = v1NameOf(answer.network);
  if (network === undefined) throw new Error(`version 1 has no name for ${answer.network}`);
  const errorReason = answer.outcome === 'failed' ? v1ReasonOf(answer.reason) : undefined;
  const success = answer.outcome !== 'failed';
  return { success, errorReason, payer: answer.payer, transaction: transactionOf(answer), network };
}

function transactionOf(answer: SettlementAnswer): string {
  return answer.outcome === 'settled' ? answer.transaction : '';
}
