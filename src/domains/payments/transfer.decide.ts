import type { Decision } from '../../base/event-store/unit-of-work.js';
import type { Hex, Network } from '../../base/shared/hex.js';
import { Problem } from '../../base/shared/problem.js';
import type { Explanation, TransferEvent, TransferState } from './transfer.js';
import { transferRow } from './transfer-row.js';

/** Says what a transfer into a wallet was that no payment explains. */
export class ExplainTransfer {
  constructor(
    /** In whose book it is. */
    readonly tenant: string,
    readonly transfer: { readonly network: Network; readonly transaction: Hex; readonly logIndex: number },
    readonly as: Explanation,
  ) {}
}

/**
 * Pure. The same again changes nothing, something else takes its place.
 * @param foundAt of its row, epoch milliseconds
 * @throws Problem `transfer_not_open`
 */
export function decideExplain(state: TransferState, { as, tenant }: ExplainTransfer, foundAt: number): Decision {
  const { explainedAs, inbound } = state;
  if (inbound === undefined) throw new Problem('transfer_not_open');
  if (explainedAs === as) return { events: [] };
  const said: TransferEvent = { type: 'InboundTransferExplained', schema: 1, data: { ...inbound, as } };
  return { events: [...unexplained(state), said], attachments: [transferRow('in', tenant, inbound, as, foundAt)] };
}

/** Pure. What was said of it does not count any more. */
export function unexplained({ explainedAs: as, inbound }: TransferState): readonly TransferEvent[] {
  if (inbound === undefined || as === undefined) return [];
  return [{ type: 'InboundTransferExplanationWithdrawn', schema: 1, data: { ...inbound, as } }];
}
