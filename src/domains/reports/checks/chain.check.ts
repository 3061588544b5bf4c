import type { Token } from '../../../base/chain/chain.js';
import type { ChainClient } from '../../../base/chain/chain-client.js';
import { loadToken } from '../../../base/chain/tokens.js';
import type { Projection } from '../../../base/event-store/projection-runner.js';
import type { Network } from '../../../base/shared/hex.js';
import { type BlockRange, blockRange, stands } from './block-range.js';
import { type NamedTransfer, namedReceipts, namedWithdrawals, type Wallet, wallets } from './chain.sql.js';
import { Doubts } from './chain-doubts.js';
import type { Check, CheckContext, CheckResult, Progress } from './check.js';
import { checkpointOf } from './checkpoint.js';
import { Findings } from './findings.js';
import { NamedTransfers } from './named-transfers.js';
import { inSnapshot, type Snapshot } from './snapshot.js';
import { type Counted, WalletReconciliation } from './wallet-reconciliation.js';

/** How often the chain is read anew because it was reorganized meanwhile. */
const ATTEMPTS_MAX = 3;
const TABLES = ['projection_checkpoints', 'ledger_books', 'ledger_accounts', 'tenants'];

export interface ChainCheckDeps {
  readonly chain: () => Promise<ChainClient>;
  readonly network: Network;
  /** Wallets on these are for other checks; on any other network they cannot be compared. */
  readonly elsewhere: readonly Network[];
  readonly ledger: Pick<Projection, 'name' | 'version'>;
}

/**
 * Every settled payment and every refund is a transfer of its own on the chain, with its payer, payee and amount; every
 * other transfer of a wallet is named; and each wallet holds what the ledger says, to the atomic unit. What is being settled
 * at the moment counts as in flight.
 */
export function chainCheck(deps: ChainCheckDeps): Check {
  return {
    name: 'chain',
    async run(context: CheckContext, onProgress: Progress) {
      const client = await deps.chain();
      for (let attempt = 1; ; attempt++) {
        const findings = new Findings(context.listed);
        const { result, stood } = await look({ ...deps, client }, context, findings, onProgress);
        if (stood) return result();
        if (attempt < ATTEMPTS_MAX) continue;
        findings.gap(`${deps.network} was reorganized ${attempt} times while it was read`);
        return result();
      }
    },
  };
}

type Deps = Omit<ChainCheckDeps, 'chain'> & { readonly client: ChainClient };

interface Looked {
  readonly stood: boolean;
  readonly result: () => CheckResult;
}

function look(deps: Deps, context: CheckContext, findings: Findings, onProgress: Progress): Promise<Looked> {
  return inSnapshot(context.pool, TABLES, async (snapshot) => {
    const checkpoint = await checkpointOf(snapshot, deps.ledger, findings);
    if (checkpoint === undefined) return { stood: true, result: () => findings.result({}) };
    const range = await blockRange(deps, snapshot, checkpoint);
    const counts = new Map<string, number>();
    const all = await snapshot.query<Wallet>(wallets, [checkpoint]);
    const reader = new WalletReader(deps, context, snapshot, { checkpoint, counts, findings, range });
    for (const [n, wallet] of all.entries()) {
      await reader.read(wallet, (done) => onProgress(n + done, all.length));
    }
    const blocks = Number(range.last - range.first) + 1;
    const unseen = { 'events not posted yet': Number(snapshot.head - checkpoint) };
    const ours = all.filter(({ network }) => !deps.elsewhere.includes(network)).length;
    const result = () => findings.result({ ...Object.fromEntries(counts), wallets: ours, blocks, ...unseen });
    return { stood: await stands(deps.client, range), result };
  });
}

interface Reading {
  readonly checkpoint: bigint;
  readonly counts: Map<string, number>;
  readonly findings: Findings;
  readonly range: BlockRange;
}

/** Reads wallet by wallet, in the order in which the log's transfers come. */
class WalletReader {
  private readonly receipts: NamedTransfers;
  private readonly withdrawals: NamedTransfers;
  private readonly doubts: Doubts;
  private token: Token | undefined;

  constructor(
    private readonly deps: Deps,
    private readonly context: CheckContext,
    snapshot: Snapshot,
    private readonly reading: Reading,
  ) {
    const named = (text: string) => new NamedTransfers(snapshot.pages<NamedTransfer>(text, [reading.checkpoint]));
    this.receipts = named(namedReceipts);
    this.withdrawals = named(namedWithdrawals);
    this.doubts = new Doubts(context.pool, deps.client);
    reading.counts.set('transfers matched', 0);
  }

  /** @param onRead told the part of the wallet that is read, 0 to 1 */
  async read(wallet: Wallet, onRead: (part: number) => void): Promise<void> {
    const { client, elsewhere, network } = this.deps;
    const { counts, findings, range } = this.reading;
    if (wallet.network !== network) {
      if (!elsewhere.includes(wallet.network))
        findings.gap(`wallet ${wallet.owner} is on ${wallet.network}, and no node of that chain is known`);
      for (const named of [this.receipts, this.withdrawals]) while (await named.peek(wallet)) named.take();
      return;
    }
    const blocks = Number(range.last - range.first) + 1;
    await new WalletReconciliation(wallet, {
      ...{ client, findings, range, doubts: this.doubts, graceMs: this.context.graceMs },
      ...{ receipts: this.receipts, withdrawals: this.withdrawals, token: await this.tokenOf(wallet) },
      count: (what: Counted) => counts.set(what, (counts.get(what) ?? 0) + 1),
      read: (side, block) => onRead((Number(block - range.first) + 1) / blocks / 2 + (side === 'in' ? 0 : 0.5)),
    }).run();
  }

  private async tokenOf({ asset, network }: Wallet): Promise<Token> {
    if (this.token?.address !== asset) this.token = await loadToken(this.deps.client, network, asset);
    return this.token;
  }
}
