import { type ReceiptTransfer, transferLogs, transfersOf } from '../../../base/chain/transfer-logs.js';
import { Problem } from '../../../base/shared/problem.js';
import type { RefundId } from '../../payments/refund.js';
import { freeOf, type RefundPorts, recordRefund } from '../../payments/refunds.js';
import { openRefunds } from '../../payments/refunds.queries.js';
import { forEachOf, type OpenRefund, type RefundDeps, stillOpen, withdraw } from './refund.ports.js';

/** Requests looked for at once. */
const LIMIT = 500;
/** Blocks that are read again, because they may have been replaced. */
const REORG_DEPTH = 64n;

/** Where a transfer was looked for, and the transactions that may hold it. */
interface Search {
  readonly next: bigint;
  readonly transactions: ReadonlySet<`0x${string}`>;
}

/**
 * Finds the transfers by which owners of payees' wallets fulfil requests. One is taken only if nothing else can be meant: it is
 * the only transfer from payee to payer of this very amount since the request that counts for nothing else, and this is
 * the only request that it can fulfil. Otherwise the owner says which transaction it was.
 */
export class RefundFinder {
  private searches = new Map<RefundId, Search>();
  private readonly ports: RefundPorts;

  constructor(private readonly deps: RefundDeps) {
    const transfers: RefundPorts['transfers'] = (_network, address, hash) =>
      transfersOf(deps.client, { address }, hash);
    this.ports = { store: deps.store, transfers, execute: deps.executeRefund };
  }

  /** One turn. Rejects with ChainUnavailable while the chain cannot be asked. */
  async step(): Promise<void> {
    const { chain, load, pool } = this.deps;
    const open = await stillOpen(load, await openRefunds(pool, chain.network, 'payee', LIMIT));
    const alone = open.filter((one) => open.filter((other) => isAlike(one, other)).length === 1);
    this.searches = new Map(alone.flatMap(({ request: { refund } }) => this.known(refund)));
    if (alone.length > 0) {
      const { number: head } = await chain.head();
      await forEachOf(alone, (refund) => this.look(refund, head));
    }
    // What was sent all the same is found first.
    await forEachOf(
      open.filter(({ failed }) => failed),
      (refund) => withdraw(this.deps, refund),
    );
  }

  private async look(refund: OpenRefund, head: bigint): Promise<void> {
    const search = await this.search(refund, head);
    this.searches.set(refund.request.refund, search);
    const [free, ...others] = await this.freeIn(refund, search);
    if (!free || others.length > 0) return;
    const { logIndex, transaction } = free;
    await recordRefund(this.ports, refund.payment, { transaction, logIndex }).catch((error: unknown) => {
      // Somebody else counted it, or a reorganization took it away meanwhile.
      if (!(error instanceof Problem)) throw error;
    });
  }

  private async search({ request, terms }: OpenRefund, head: bigint): Promise<Search> {
    const first = BigInt(request.block) + 1n;
    const { next, transactions } = this.searches.get(request.refund) ?? { next: first, transactions: new Set() };
    const found = new Set(transactions);
    const parties = { from: request.sender, to: terms.payer };
    for await (const page of transferLogs(this.deps.client, { address: terms.asset }, parties, next, head)) {
      for (const { transaction, value } of page) if (value === BigInt(request.amount)) found.add(transaction);
    }
    const again = head - REORG_DEPTH;
    return { next: again > first ? again : first, transactions: found };
  }

  /** Asked anew, since a reorganization may have moved or removed it. */
  private async freeIn({ payment, request, terms }: OpenRefund, { transactions }: Search) {
    const { client, load, store } = this.deps;
    const all = await Promise.all([...transactions].map((hash) => transfersOf(client, { address: terms.asset }, hash)));
    // By an authorization the owner pays for something, or sends a refund of another kind.
    const fits = ({ authorization, blockNumber, from, to, value }: ReceiptTransfer) =>
      authorization === undefined &&
      from === request.sender &&
      to === terms.payer &&
      value === BigInt(request.amount) &&
      blockNumber > BigInt(request.block);
    const { state } = await load(payment);
    const fitting = all.flatMap((list) => list ?? []).filter(fits);
    return state.status === 'unknown' ? [] : freeOf(store, state, fitting);
  }

  private known(refund: RefundId): readonly [RefundId, Search][] {
    const search = this.searches.get(refund);
    return search ? [[refund, search]] : [];
  }
}

/** One transfer could fulfil either. */
function isAlike(a: OpenRefund, b: OpenRefund): boolean {
  const same = a.terms.asset === b.terms.asset && a.terms.payer === b.terms.payer;
  return same && a.request.sender === b.request.sender && a.request.amount === b.request.amount;
}
