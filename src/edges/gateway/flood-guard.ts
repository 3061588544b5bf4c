import type { BlockList } from 'node:net';
import type { PayerState, SignatureVerdict, Token } from '../../base/chain/chain.js';
import type { PayerStates } from '../../base/chain/payer-states.js';
import { checkEcdsa } from '../../base/chain/signatures.js';
import type { DecodedPayment } from '../../base/x402/payment-header.js';
import { addressGroup, clientAddress } from './client-address.js';
import { LocalBudget } from './local-budget.js';
import type { PaidCall } from './paid-call.js';
import type { ServiceLimit } from './rate-limit-fields.js';

const WINDOW_SECONDS = 10;
/** What one address gets in a window, on each gateway. */
const QUOTAS = {
  /** Offers, while payments are being taken; when nobody pays, strangers have the machine to themselves. */
  offers: 20_000,
  /** Wrong signatures that are still answered with an offer. */
  invalid: 300,
  /** Look-ups for payers nobody knows yet, whose signature is good. */
  strangers: 5_000,
  /** Look-ups for what may be the signature of a contract, or may be nothing. */
  wallets: 300,
  /** Look-ups of invoices, whatever comes with the request. */
  invoices: 300,
} as const;
/** Such look-ups for unknown payers at the same time, from all addresses together. */
const WALLETS_AT_ONCE = 20;
/** Payments count as being taken for so long after the last one, in milliseconds. */
const PAYING_MS = 1_000;

/** A payment with what its signature says before a store or the chain is asked. */
export interface Presented {
  readonly payment: DecodedPayment;
  /** What is known of the payer without asking. */
  readonly known: PayerState | undefined;
  readonly ecdsa: SignatureVerdict;
  /**
   * `proven`: by the payer's own key; `wrong`: by no rule of the token's; `open`: the payer has code, or may have, and
   * only the chain can tell.
   */
  readonly proof: 'proven' | 'wrong' | 'open';
}

/** Pure computation, as the token would decide with what is known of the payer. */
export function presented(token: Token, payment: DecodedPayment, known: PayerState | undefined): Presented {
  const { authorization, signature } = payment;
  const ecdsa = checkEcdsa(token, authorization, signature);
  const asked = known?.hasCode ?? !ecdsa.valid;
  return { payment, known, ecdsa, proof: asked ? 'open' : ecdsa.valid ? 'proven' : 'wrong' };
}

/** What a look-up came to, or the budget that it found empty. */
export type Looked<T> = { readonly value: T } | { readonly over: ServiceLimit };

/**
 * Keeps strangers from slowing payers: what costs a store or the chain is asked for a good signature, or from a budget of
 * the address that it comes from. A known payer with a key of its own needs no budget; naming it, or sharing its
 * address, takes nothing from it. All of it is counted in this process: a store would be one more thing to flood.
 */
export class FloodGuard {
  private readonly offers = new LocalBudget('offers', QUOTAS.offers, WINDOW_SECONDS);
  private readonly invalid = new LocalBudget('invalid-signatures', QUOTAS.invalid, WINDOW_SECONDS);
  private readonly strangers = new LocalBudget('unknown-payers', QUOTAS.strangers, WINDOW_SECONDS);
  private readonly wallets = new LocalBudget('wallet-checks', QUOTAS.wallets, WINDOW_SECONDS);
  private readonly invoices = new LocalBudget('invoices', QUOTAS.invoices, WINDOW_SECONDS);
  private walletsAtOnce = 0;
  private lastSoundAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly payers: Pick<PayerStates, 'known'>,
    private readonly trusted: BlockList | undefined,
  ) {}

  present(call: PaidCall, payment: DecodedPayment): Presented {
    return presented(call.token, payment, this.payers.known(call.token, payment.authorization.from));
  }

  /** `undefined` if the stranger may have an offer. @param now epoch milliseconds, as below */
  overOffers(call: PaidCall, now: number): ServiceLimit | undefined {
    if (now - this.lastSoundAt > PAYING_MS) return undefined;
    return taken(this.offers, this.addressOf(call), now);
  }

  /** `undefined` if an invoice may be looked up for this request. */
  overInvoices(call: PaidCall, now: number): ServiceLimit | undefined {
    return taken(this.invoices, this.addressOf(call), now);
  }

  /** Counts a wrong signature; `undefined` if it may have an offer. */
  overInvalid(call: PaidCall, now: number): ServiceLimit | undefined {
    return taken(this.invalid, this.addressOf(call), now);
  }

  /** Runs work that asks a store or the chain for this payment, if there is a budget for it. */
  async lookUp<T>(call: PaidCall, by: Presented, now: number, work: () => Promise<T>): Promise<Looked<T>> {
    if (by.proof === 'proven') {
      const over = by.known ? undefined : taken(this.strangers, this.addressOf(call), now);
      return over ? { over } : { value: await work() };
    }
    const key = this.walletKey(call, by);
    if (by.known)
      return this.wallets.has(key, now) ? { value: await work() } : { over: this.wallets.standing(key, now) };
    const over = this.walletsAtOnce < WALLETS_AT_ONCE ? taken(this.wallets, key, now) : busy();
    if (over) return { over };
    this.walletsAtOnce++;
    try {
      return { value: await work() };
    } finally {
      this.walletsAtOnce--;
    }
  }

  /** The wallet said no: its budget is for those that say yes. */
  failed(call: PaidCall, by: Presented, now: number): void {
    if (by.known) this.wallets.take(this.walletKey(call, by), now);
  }

  /** A payment that nothing speaks against has come in. */
  sound(now: number): void {
    this.lastSoundAt = now;
  }

  /** Whoever names a known wallet from elsewhere, or other payers from its address, takes from another budget. */
  private walletKey(call: PaidCall, { known, payment }: Presented): string {
    const address = this.addressOf(call);
    return known ? `${address} ${payment.authorization.from}` : address;
  }

  /** Whose budgets a request takes from, if nobody is proven. */
  addressOf({ message }: PaidCall): string {
    return addressGroup(clientAddress(message, this.trusted));
  }
}

function taken(budget: LocalBudget, key: string, now: number): ServiceLimit | undefined {
  return budget.take(key, now) ? undefined : budget.standing(key, now);
}

function busy(): ServiceLimit {
  return {
    policy: 'wallet-checks-at-once',
    quota: WALLETS_AT_ONCE,
    unit: 'concurrent-requests',
    remaining: 0,
    resetSeconds: 1,
  };
}
