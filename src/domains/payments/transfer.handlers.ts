import type { Pool } from 'pg';
import { ruleHandler } from '../../base/event-store/rule-handler.js';
import { transferStream } from './payment.refund.js';
import { decideExplain, ExplainTransfer } from './transfer.decide.js';
import { evolveTransfer, newTransfer, type TransferEvent, type TransferState } from './transfer.js';

export const transferHandlers = [
  ruleHandler<ExplainTransfer, TransferEvent, TransferState, number>(ExplainTransfer, {
    place: ({ tenant, transfer }) => ({ tenant, stream: transferStream(transfer.network, transfer) }),
    initial: newTransfer,
    evolve: evolveTransfer,
    exists: ({ inbound }) => inbound !== undefined,
    beside: foundAt,
    decide: (state, command, now, _version, since) => decideExplain(state, command, since ?? now),
  }),
];

/** Of its row, which keeps its place in lists. */
async function foundAt(pool: Pool, { transfer }: ExplainTransfer): Promise<number> {
  const { rows } = await pool.query<{ found_at: Date }>(
    `select found_at from chain_transfers
     where network = $1 and transaction = $2 and log_index = $3 and direction = 'in'`,
    [transfer.network, transfer.transaction, transfer.logIndex],
  );
  return (rows[0]?.found_at ?? new Date()).getTime();
}
