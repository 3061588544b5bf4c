import type { QueriedGauge } from './gauge.js';

/** How far the chains are followed, and what nobody has explained yet. */
export const reconcilerGauges: readonly QueriedGauge[] = [
  {
    name: 'tollbook_reconciler_lag_blocks',
    help: 'Blocks of the chain whose transfers of wallets are not read yet',
    labels: ['network'],
    query: `select c.network, greatest(0, c.head - least(c.block_number, min(w.block_number)))::text as value
      from chain_checkpoints c left join chain_wallets w on w.network = c.network group by c.network, c.head, c.block_number`,
  },
  {
    name: 'tollbook_reconciler_lag_seconds',
    help: 'Time since every block of the chain had been read',
    labels: ['network'],
    query: `select network, greatest(0, extract(epoch from clock_timestamp() - caught_up_at))::text as value from chain_checkpoints`,
  },
  {
    name: 'tollbook_reconciler_stopped',
    help: '1 if a chain is not followed because its blocks are not those that were read',
    labels: ['network'],
    query: `select network, (stopped is not null)::int::text as value from chain_checkpoints`,
  },
  {
    name: 'tollbook_suspense_atomic_units',
    help: 'Money in wallets that nothing explains, in atomic units of the asset',
    labels: ['network', 'asset'],
    query: `select split_part(b.asset, '/erc20:', 1) as network, split_part(b.asset, '/erc20:', 2) as asset,
        sum(a.credits_posted - a.debits_posted)::text as value
      from ledger_accounts a join ledger_books b on b.id = a.book where a.kind = 'suspense' group by 1, 2`,
  },
];
