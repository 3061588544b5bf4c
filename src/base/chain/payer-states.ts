import { LRUCache } from 'lru-cache';
import type { Clock } from '../shared/clock.js';
import type { Address, Hex } from '../shared/hex.js';
import type { ChainUnavailable, PayerState, Token } from './chain.js';
import { asked, type ChainClient } from './chain-client.js';
import { authorizationState, balanceOf, hasCode, refusalOfPayer } from './token-calls.js';

/** A state read longer ago than this, in milliseconds, is not known any more. */
export const KNOWN_FOR_MS = 5_000;
/** Payers admitted within this time, in milliseconds, are kept fresh in the background. */
export const KEEP_FRESH_FOR_MS = 60_000;
const REFRESH_PAUSE_MS = 1_000;
const MOST_PAYERS = 50_000;
/** The rest of a crowd costs a read in the request instead; a round must not outgrow its second. */
const MOST_REFRESHED = 1_000;

export interface PayerStatesOptions {
  readonly client: ChainClient;
  readonly clock: Clock;
  /** Told when background rounds begin to fail; what is known then grows old, and payers are asked in the request again. */
  readonly onRefreshFailed?: (error: ChainUnavailable) => void;
}

/** As the chain said it; `began` is the ordinal of that read. */
type Read = PayerState & { readonly began: number };

interface Entry {
  readonly token: Token;
  readonly payer: Address;
  /** Reads of this payer begun so far. */
  begun: number;
  read?: Read;
  /** Reads with a smaller ordinal are not believed. */
  notBefore: number;
  /** Amounts admitted after the read with the ordinal `after` began, and before the next one did. */
  reserved: { readonly after: number; amount: bigint }[];
  admittedAt: number;
}

/**
 * What is known of payers without asking: balance (minus what was admitted since it was read), presence of code, and whether
 * the token moves anything from them at all.
 *
 * Reads of a payer are numbered as they begin. A reservation is dropped only by a read that began after it was made:
 * one that was under way already may have seen the balance from before.
 */
export class PayerStates {
  private readonly entries = new LRUCache<string, Entry>({ max: MOST_PAYERS });
  private timer: NodeJS.Timeout | undefined;
  private running = false;
  private failing = false;

  constructor(private readonly options: PayerStatesOptions) {}

  /** Begins to refresh recently admitted payers, at most once a second. */
  start(): void {
    if (this.running) return;
    this.running = true;
    this.schedule();
  }

  stop(): void {
    this.running = false;
    clearTimeout(this.timer);
  }

  /** State read at most `KNOWN_FOR_MS` ago, or `undefined`. Costs no call. */
  known(token: Token, payer: Address): PayerState | undefined {
    const entry = this.entries.get(keyOf(token, payer));
    if (entry?.read === undefined || this.options.clock() - entry.read.readAt > KNOWN_FOR_MS) return undefined;
    return available(entry, entry.read);
  }

  /**
   * Counts an admitted amount against the balance until a later read shows the chain's own view, and keeps the payer
   * fresh from now on. Payers that were never admitted are not: strangers must not make this server ask again and again.
   */
  reserve(token: Token, payer: Address, amount: bigint): void {
    const entry = this.entry(token, payer);
    entry.admittedAt = this.options.clock();
    const last = entry.reserved.at(-1);
    if (last?.after === entry.begun) last.amount += amount;
    else entry.reserved.push({ after: entry.begun, amount });
  }

  /** Asks the chain in one JSON-RPC batch. Throws ChainUnavailable. */
  async fetch(token: Token, payer: Address, nonce: Hex): Promise<{ state: PayerState; nonceUsed: boolean }> {
    const stateRead = this.read(this.entry(token, payer));
    const nonceRead = authorizationState(this.options.client, token, payer, nonce);
    const [state, nonceUsed] = await asked('state of the payer', Promise.all([stateRead, nonceRead]));
    return { state, nonceUsed };
  }

  /** What was read so far, reads under way included, is not believed any more; reservations stay. */
  forget(token: Token, payer: Address): void {
    const entry = this.entries.peek(keyOf(token, payer));
    if (entry === undefined) return;
    entry.read = undefined;
    entry.notBefore = entry.begun + 1;
  }

  /** Reads recently admitted payers anew. Throws ChainUnavailable if any read failed; the others count all the same. */
  async refresh(): Promise<void> {
    const since = this.options.clock() - KEEP_FRESH_FOR_MS;
    const reads: Promise<PayerState>[] = [];
    for (const entry of this.entries.values()) {
      if (reads.length === MOST_REFRESHED) break;
      if (entry.admittedAt >= since) reads.push(this.read(entry));
    }
    await asked('states of payers', Promise.all(reads));
  }

  private async read(entry: Entry): Promise<PayerState> {
    const began = ++entry.begun;
    const readAt = this.options.clock();
    const { client } = this.options;
    const { token, payer } = entry;
    const [balance, code, refusal] = await Promise.all([
      balanceOf(client, token, payer),
      hasCode(client, payer),
      refusalOfPayer(client, token, payer),
    ]);
    const read: Read = { balance, hasCode: code, blocked: refusal !== undefined, readAt, began };
    const newest = entry.read === undefined || entry.read.began < began;
    if (newest && began >= entry.notBefore) {
      entry.read = read;
      entry.reserved = entry.reserved.filter(({ after }) => after >= began);
    }
    return available(entry, entry.read ?? read);
  }

  private entry(token: Token, payer: Address): Entry {
    const key = keyOf(token, payer);
    const found = this.entries.get(key);
    if (found !== undefined) return found;
    const entry: Entry = { token, payer, begun: 0, notBefore: 0, reserved: [], admittedAt: Number.NEGATIVE_INFINITY };
    this.entries.set(key, entry);
    return entry;
  }

  private schedule(): void {
    this.timer = setTimeout(async () => {
      try {
        await this.refresh();
        this.failing = false;
      } catch (error) {
        if (!this.failing) this.options.onRefreshFailed?.(error as ChainUnavailable);
        this.failing = true;
      }
      if (this.running) this.schedule();
    }, REFRESH_PAUSE_MS);
    this.timer.unref();
  }
}

function keyOf(token: Token, payer: Address): string {
  return payer + token.address;
}

/** Balance minus the reservations that `read` cannot have seen, and never below zero. */
function available({ reserved }: Entry, { balance, began, ...rest }: Read): PayerState {
  let free = balance;
  for (const { after, amount } of reserved) if (after >= began) free -= amount;
  return { balance: free > 0n ? free : 0n, ...rest };
}
