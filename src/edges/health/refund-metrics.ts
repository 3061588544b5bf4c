import type { Pool } from 'pg';
import { Gauge, type Registry } from 'prom-client';
import type { Chains } from '../../base/chain/chains.js';
import { balanceOf } from '../../base/chain/token-calls.js';
import { withTimeout } from '../../base/platform/with-timeout.js';
import type { TokenBook } from '../../domains/pricing/token-book.js';
import type { RefundWallets } from '../../domains/settlement/refunds/refund-wallets.js';
import type { QueriedGauge } from './gauge.js';

/** Less than a scraper waits, in milliseconds. */
const ASK_MS = 2_000;

const open = `from refunds r join payments p on p.id = r.payment_id where r.state in ('requested', 'sent')
  group by p.network, p.asset, r.source`;
const labels = ['network', 'asset', 'from'];

/** What an alarm watches: money that payers wait for. */
export const refundGauges: readonly QueriedGauge[] = [
  {
    name: 'tollbook_refunds_pending',
    help: 'Refunds that were requested and have no outcome yet',
    labels,
    query: `select p.network, p.asset, r.source as "from", count(*)::text as value ${open}`,
  },
  {
    name: 'tollbook_refunds_pending_atomic_units',
    help: 'Their value, in atomic units of the asset',
    labels,
    query: `select p.network, p.asset, r.source as "from", sum(r.amount)::text as value ${open}`,
  },
  {
    name: 'tollbook_refunds_pending_oldest_age_seconds',
    help: 'Time since the oldest of them was requested',
    labels,
    query: `select p.network, p.asset, r.source as "from",
      greatest(0, extract(epoch from now() - min(r.requested_at)))::text as value ${open}`,
  },
];

export interface RefundMetricsDeps {
  readonly pool: Pool;
  readonly chains: Chains;
  readonly tokens: Pick<TokenBook, 'on'>;
  readonly wallets: RefundWallets;
}

export function addRefundWalletMetric(registry: Registry, { chains, tokens, wallets }: RefundMetricsDeps): void {
  new Gauge({
    name: 'tollbook_refund_wallet_atomic_units',
    help: 'What is in a refund wallet, in atomic units of the asset',
    labelNames: ['network', 'asset', 'wallet'],
    registers: [registry],
    async collect() {
      this.reset();
      await Promise.all(walletsOn(chains, tokens, wallets).map((one) => observe(this, one)));
    },
  });
}

type Watched = ReturnType<typeof walletsOn>[number];

function walletsOn(chains: Chains, tokens: Pick<TokenBook, 'on'>, wallets: RefundWallets) {
  return [...chains].flatMap(([network, { client }]) => {
    const known = tokens.on(network);
    const listed = [...(known?.keys() ?? [])].flatMap((asset) => known?.get(asset) ?? []);
    return listed.flatMap((token) => wallets.addresses.map((wallet) => ({ client, token, wallet })));
  });
}

async function observe(gauge: Gauge, { client, token, wallet }: Watched): Promise<void> {
  try {
    const balance = await withTimeout(balanceOf(client, token, wallet), ASK_MS, 'the chain did not answer in time');
    // Metrics are floating point; 15 digits of a balance are enough to watch it.
    gauge.set({ network: token.network, asset: token.address, wallet }, Number(balance));
  } catch {
    // An observer fails open: no sample says that the chain could not be asked.
  }
}
