import { FeeCapReached, type SettlementChain } from '../../base/chain/chain.js';
import { batchGas } from '../../base/chain/gas.js';
import type { Logger } from '../../base/platform/logger.js';
import { remembered } from '../../base/platform/remembered.js';
import type { Clock } from '../../base/shared/clock.js';
import type { Address, Network } from '../../base/shared/hex.js';
import { BATCH_FULL } from './batch-plan.js';

/** Full batches that a settler has to be able to pay for. */
const RESERVE_BATCHES = 5n;
/** How long balances and fees count as known, in milliseconds. */
const FRESH_MS = 5_000;

export interface SettlerGas {
  readonly settler: Address;
  /** In wei. */
  readonly balance: bigint;
  /** It cannot pay for what is needed, so nothing is given to it until it is filled up. */
  readonly low: boolean;
}

export interface GasReport {
  readonly network: Network;
  readonly settlers: readonly SettlerGas[];
  /** What a settler needs to be given batches, in wei at the present fee. */
  readonly needed: bigint;
  /** Why nothing new is sent: gas costs more than the cap. Passes by itself. */
  readonly capped?: string;
}

/** Pure. Wei for five full batches, as a node asks for them beforehand: the gas limit at the highest fee offered. */
export function gasNeeded(maxFeePerGas: bigint): bigint {
  return RESERVE_BATCHES * batchGas(BATCH_FULL, false) * maxFeePerGas;
}

/** Pure. Nothing can be sent before somebody fills a settler up. A price above the cap is something else: it passes. */
export function nobodyHasGas({ capped, settlers }: Pick<GasReport, 'capped' | 'settlers'>): boolean {
  return capped === undefined && settlers.length > 0 && settlers.every(({ low }) => low);
}

/** Knows which settlers can pay for gas. The alarm is in the log once per settler and time, in `/metrics` and in `health/ready`. */
export class GasWatch {
  /** At most five seconds old. Rejects with ChainUnavailable. */
  readonly report: () => Promise<GasReport>;
  private readonly alarmed = new Set<Address>();
  private capped = false;
  private last: GasReport | undefined;

  constructor(
    private readonly chain: Pick<SettlementChain, 'fees' | 'gasBalance' | 'network' | 'settlers'>,
    clock: Clock,
    private readonly log: Pick<Logger, 'info' | 'warn'>,
  ) {
    this.report = remembered(() => this.read(), FRESH_MS, clock);
  }

  /** What the chain said last, however long ago. */
  get latest(): GasReport | undefined {
    return this.last;
  }

  private async read(): Promise<GasReport> {
    const { chain } = this;
    const [fees, ...balances] = await Promise.all([
      this.presentFees(),
      ...chain.settlers.map((settler) => chain.gasBalance(settler)),
    ]);
    const needed = gasNeeded(fees.maxFeePerGas);
    const settlers = chain.settlers.map((settler, index) => {
      const balance = balances[index]!;
      return { settler, balance, low: balance < needed };
    });
    // Above the cap nothing is sent whatever a settler has, so that is the alarm.
    this.alarmOfCap(fees.capped);
    if (fees.capped === undefined) for (const one of settlers) this.alarm(one, needed);
    this.last = { network: chain.network, settlers, needed, capped: fees.capped };
    return this.last;
  }

  private async presentFees(): Promise<{ readonly maxFeePerGas: bigint; readonly capped?: string }> {
    try {
      return { maxFeePerGas: (await this.chain.fees()).maxFeePerGas };
    } catch (error) {
      if (!(error instanceof FeeCapReached)) throw error;
      return { maxFeePerGas: error.cap, capped: error.message };
    }
  }

  private alarmOfCap(reason: string | undefined): void {
    if (this.capped === (reason !== undefined)) return;
    this.capped = reason !== undefined;
    const { network } = this.chain;
    if (reason !== undefined) this.log.warn({ network, reason }, 'gas costs more than the cap, so settlements wait');
    else this.log.info({ network }, 'gas costs less than the cap again');
  }

  private alarm({ balance, low, settler }: SettlerGas, needed: bigint): void {
    if (low === this.alarmed.has(settler)) return;
    const fields = { network: this.chain.network, settler, balance: balance.toString(), needed: needed.toString() };
    if (low) {
      this.alarmed.add(settler);
      this.log.warn(fields, 'a settler is low on gas and gets nothing to settle');
    } else {
      this.alarmed.delete(settler);
      this.log.info(fields, 'a settler has gas again');
    }
  }
}
