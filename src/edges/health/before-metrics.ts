import type { QueriedGauge } from './gauge.js';

/** What somebody has to do about: the chain, the client, who may never come back, and the seller. */
const waiting = `from payments where mode = 'before' and state in ('awaiting_settlement', 'paid', 'refund_owed')
  group by network, asset, state`;
const labels = ['network', 'asset', 'state'];

/** What an alarm watches in mode `before`: payments that were made, or are being made, and have bought nothing. */
export const beforeGauges: readonly QueriedGauge[] = [
  {
    name: 'tollbook_undelivered_payments',
    help: 'Payments of mode before that are to settle, were made and have not run, or are owed back',
    labels,
    query: `select network, asset, state, count(*)::text as value ${waiting}`,
  },
  {
    name: 'tollbook_undelivered_oldest_age_seconds',
    help: 'Time since the oldest of them was settled, or authorized while it is not settled',
    labels,
    query: `select network, asset, state,
      greatest(0, extract(epoch from now() - min(coalesce(settled_at, authorized_at))))::text as value ${waiting}`,
  },
];
