import type { Token } from '../../../base/chain/chain.js';
import type { ChainClient } from '../../../base/chain/chain-client.js';
import { balanceOf } from '../../../base/chain/token-calls.js';
import { type TransferLog, transferLogs } from '../../../base/chain/transfer-logs.js';
import type { BlockRange } from './block-range.js';
import type { NamedTransfer, Wallet } from './chain.sql.js';
import type { Doubts } from './chain-doubts.js';
import type { Findings } from './findings.js';
import { matchTransfers, type NamedTransfers } from './named-transfers.js';

/** Transfers that are asked about together; and absent ones that are given time, the others count at once. */
const TOGETHER = 200;

export interface WalletDeps {
  readonly client: ChainClient;
  readonly token: Token;
  readonly range: BlockRange;
  readonly receipts: NamedTransfers;
  readonly withdrawals: NamedTransfers;
  readonly doubts: Doubts;
  readonly findings: Findings;
  readonly graceMs: number;
  /** Counts what was looked at. */
  readonly count: (what: Counted) => void;
  /** Called with the number of a block that was read. */
  readonly read: (side: 'in' | 'out', block: bigint) => void;
}

export type Counted = 'transfers matched' | 'in flight' | 'unbooked receipts' | 'withdrawals';

/** Compares one wallet with the chain: each transfer with its name in the log, and the sum of all with the ledger. */
export class WalletReconciliation {
  /** In the wallet at the last block by the chain, and not by the ledger; atomic units. */
  private beyondBooks = 0n;
  private moved = 0n;
  private readonly absent: NamedTransfer[] = [];
  private readonly unnamed: Record<'in' | 'out', TransferLog[]> = { in: [], out: [] };

  private readonly range: BlockRange;

  constructor(
    private readonly wallet: Wallet,
    private readonly deps: WalletDeps,
  ) {
    const { range } = deps;
    this.range = wallet.opened === null ? range : { ...range, first: BigInt(wallet.opened) + 1n };
  }

  /** Throws ChainUnavailable. */
  async run(): Promise<void> {
    await this.match('in', this.deps.receipts);
    await this.match('out', this.deps.withdrawals);
    await this.judgeAbsent();
    await this.compareBalance();
  }

  private async match(side: 'in' | 'out', named: NamedTransfers): Promise<void> {
    await matchTransfers(this.wallet, named, this.transfers(side), {
      matched: (one, transfer) => this.matched(one, transfer),
      absent: (one) => this.miss(one),
      again: (one) => this.miss(one, 'a transfer that another one names'),
      unnamed: (transfer) => this.doubt(side, transfer),
    });
    await this.judge[side]();
  }

  private async *transfers(side: 'in' | 'out'): AsyncGenerator<readonly TransferLog[]> {
    const { range } = this;
    const { client, read, token } = this.deps;
    const parties = side === 'in' ? { to: this.wallet.owner } : { from: this.wallet.owner };
    for await (const page of transferLogs(client, token, parties, range.first, range.last)) {
      for (const { value } of page) this.moved += side === 'in' ? value : -value;
      yield page;
      read(side, page.at(-1)!.blockNumber);
    }
    read(side, range.last);
  }

  private matched(named: NamedTransfer, { from, to, value }: TransferLog): void {
    this.deps.count('transfers matched');
    const expected = `${named.amount} from ${named.from} to ${named.to}`;
    const found = `${value} from ${from} to ${to}`;
    if (found !== expected) this.deps.findings.differ('transfer', whereOf(named), expected, found);
  }

  /** Named but not on the chain: money that the ledger has in the wallet, and the chain has not. */
  private miss(named: NamedTransfer, found?: string): void {
    this.beyondBooks -=
      named.kind === 'payment' || named.kind === 'receipt' ? BigInt(named.amount) : -BigInt(named.amount);
    if (found === undefined && this.absent.length < TOGETHER) this.absent.push(named);
    else this.deps.findings.differ(named.kind, whereOf(named), 'a transfer of its own', found ?? 'none on the chain');
  }

  private async doubt(side: 'in' | 'out', transfer: TransferLog): Promise<void> {
    // Anybody can send nothing from and to anywhere, and many do; and what a wallet sends to itself stays there.
    if (transfer.value === 0n || transfer.from === transfer.to) return;
    this.beyondBooks += side === 'in' ? transfer.value : -transfer.value;
    this.unnamed[side].push(transfer);
    if (this.unnamed[side].length >= TOGETHER) await this.judge[side]();
  }

  private readonly judge = {
    in: async (): Promise<void> => {
      const { count, doubts, token } = this.deps;
      for (const [transfer, { inFlight, payment }] of await doubts.incoming(token, this.unnamed.in.splice(0))) {
        count(inFlight ? 'in flight' : 'unbooked receipts');
        const by = payment === undefined ? '' : `, by the authorization of ${payment}`;
        if (!inFlight) this.tell('unbooked receipt', transfer, `${transfer.value} from ${transfer.from}${by}`);
      }
    },
    out: async (): Promise<void> => {
      const { count, doubts, token } = this.deps;
      const transfers = this.unnamed.out.splice(0);
      const recorded = await doubts.outgoing(token, transfers);
      for (const transfer of transfers) {
        count(recorded.has(transfer) ? 'in flight' : 'withdrawals');
        if (recorded.has(transfer)) continue;
        this.tell('withdrawal', transfer, `${transfer.value} from ${transfer.from} to ${transfer.to}`);
      }
    },
  };

  /** The reconciler reads each block of a wallet it follows: what it went past and did not write down is a mistake. */
  private tell(what: string, transfer: TransferLog, found: string): void {
    const { followed } = this.wallet;
    const passed = followed !== null && transfer.blockNumber <= BigInt(followed);
    if (passed) this.deps.findings.differ(what, logOf(transfer), 'an event that names it', found);
    else this.deps.findings.note(what, logOf(transfer), found);
  }

  private async judgeAbsent(): Promise<void> {
    const { count, doubts, findings, graceMs, token } = this.deps;
    const lost = await doubts.absent(token, this.absent, graceMs);
    for (const named of lost) findings.differ(named.kind, whereOf(named), 'its transfer on the chain', 'none');
    for (let n = lost.length; n < this.absent.length; n++) count('in flight');
  }

  /** To the atomic unit, at the last block. */
  private async compareBalance(): Promise<void> {
    const { range } = this;
    const { client, findings, token } = this.deps;
    const { asset, booked, owner } = this.wallet;
    const closing = await balanceOf(client, token, owner, range.last).catch(() => undefined);
    if (closing === undefined) {
      findings.gap(`wallet ${owner}: the node does not tell its balance at block ${range.last}`);
      return;
    }
    const opening = await this.opening(closing);
    const owned = opening + BigInt(booked) + this.beyondBooks;
    if (owned === closing) return;
    const parts = `${booked} in the ledger, ${opening} before block ${range.first}, ${this.beyondBooks} outside the books`;
    findings.differ(
      'wallet balance',
      `${owner} in ${asset}`,
      `${closing} at block ${range.last}`,
      `${owned}: ${parts}`,
    );
  }

  /**
   * What was in the wallet before the first block, unless the ledger has that as its opening balance. A node that has dropped that state leaves what the transfers since then
   * imply.
   */
  private async opening(closing: bigint): Promise<bigint> {
    const { client, range, token } = this.deps;
    if (range.first === 0n || this.wallet.opened !== null) return 0n;
    const told = await balanceOf(client, token, this.wallet.owner, range.first - 1n).catch(() => undefined);
    return told ?? closing - this.moved;
  }
}

function whereOf({ blockNumber, kind, logIndex, payment, transaction }: NamedTransfer): string {
  return `${payment ?? kind}: ${transaction}, block ${blockNumber}, log ${logIndex}`;
}

function logOf({ blockNumber, logIndex, transaction }: TransferLog): string {
  return `${transaction}, block ${blockNumber}, log ${logIndex}`;
}
