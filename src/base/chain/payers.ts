import type { Clock } from '../shared/clock.js';
import type { Address, Hex, Network } from '../shared/hex.js';
import type { ChainUnavailable, PayerState, Token } from './chain.js';
import type { Chains } from './chains.js';
import { PayerStates } from './payer-states.js';

/** What is known of the payers of all chains. Each chain's are read apart: one that hangs keeps no other's from being fresh. */
export class Payers {
  private readonly states: ReadonlyMap<Network, PayerStates>;

  /** @param onRefreshFailed told when the background rounds of a chain begin to fail */
  constructor(chains: Chains, clock: Clock, onRefreshFailed: (network: Network, error: ChainUnavailable) => void) {
    this.states = new Map(
      [...chains].map(([network, { client }]) => {
        const failed = (error: ChainUnavailable) => onRefreshFailed(network, error);
        return [network, new PayerStates({ client, clock, onRefreshFailed: failed })];
      }),
    );
  }

  start(): void {
    for (const one of this.states.values()) one.start();
  }

  stop(): void {
    for (const one of this.states.values()) one.stop();
  }

  known(token: Token, payer: Address): PayerState | undefined {
    return this.of(token).known(token, payer);
  }

  reserve(token: Token, payer: Address, amount: bigint): void {
    this.of(token).reserve(token, payer, amount);
  }

  fetch(token: Token, payer: Address, nonce: Hex): Promise<{ state: PayerState; nonceUsed: boolean }> {
    return this.of(token).fetch(token, payer, nonce);
  }

  /** A token is loaded from a chain that is served. */
  private of({ network }: Token): PayerStates {
    const found = this.states.get(network);
    if (found === undefined) throw new RangeError(`${network} is not served here`);
    return found;
  }
}
