import { isCounted } from '../pricing/charges/charge.js';
import { listPrice } from '../pricing/list-price.js';
import { quantityKey } from '../pricing/request/quantity.js';
import { NotRecorded, type Recorded, recordedRequest, USED_UNKNOWN } from '../pricing/request/recorded-request.js';
import { price } from '../pricing/tariff.js';
import type { Tariff } from '../pricing/tariff.schemas.js';

/** What the log keeps of a request that was delivered. */
export interface DeliveredRequest extends Recorded {
  readonly route: string;
  readonly payer: string;
  /** CAIP-19. */
  readonly asset: string;
  /** What was charged, in atomic units; `undefined` if it was free. */
  readonly amount: string | undefined;
  readonly tariff: { readonly id: string; readonly version: number };
}

/** Revenue of one customer, route and UTC day, in atomic units of one asset: what was charged, and what would have been. */
export interface SimulatedRow {
  readonly day: string;
  readonly route: string;
  readonly payer: string;
  /** CAIP-19. */
  readonly asset: string;
  readonly requests: string;
  readonly actual: string;
  readonly simulated: string;
}

/** Requests that are in no row, because the tariff looks at an input that was not recorded of them. */
export interface NotRepriced {
  readonly input: string;
  readonly asset: string;
  readonly requests: string;
  readonly actual: string;
}

export interface SimulationResult {
  readonly rows: readonly SimulatedRow[];
  /** Requests within an allowance: they brought nothing, and would have cost what is simulated. */
  readonly free: readonly SimulatedRow[];
  readonly notRepriced: readonly NotRepriced[];
}

interface Sum {
  readonly keys: readonly string[];
  requests: bigint;
  actual: bigint;
  simulated: bigint;
}

/** Prices delivered requests of the past by another tariff. Memory grows with the rows of the result alone. */
export class Simulation {
  private readonly rows = new Map<string, Sum>();
  private readonly free = new Map<string, Sum>();
  private readonly left = new Map<string, Sum>();
  private readonly unit: string;

  /** @param actualTariff the version that a request was priced by, if it is known */
  constructor(
    private readonly tariff: Tariff,
    private readonly actualTariff: (id: string, version: number) => Tariff | undefined,
  ) {
    this.unit = usageUnit(tariff);
  }

  /** @param deliveredAt when it was charged, which is its day */
  add(request: DeliveredRequest, deliveredAt: Date): void {
    const { amount, asset, payer, route } = request;
    const actual = BigInt(amount ?? 0);
    const priced = this.reprice(request);
    if (typeof priced === 'string') {
      count(this.left, [priced, asset], actual, 0n);
      return;
    }
    const day = deliveredAt.toISOString().slice(0, 10);
    count(amount === undefined ? this.free : this.rows, [day, route, payer, asset], actual, priced);
  }

  /** In the order of day, route, payer and asset. */
  result(): SimulationResult {
    return {
      rows: sorted(this.rows).map(rowOf),
      free: sorted(this.free).map(rowOf),
      notRepriced: sorted(this.left).map(({ keys, actual, requests }) => {
        const [input, asset] = keys as [string, string];
        return { input, asset, requests: `${requests}`, actual: `${actual}` };
      }),
    };
  }

  /** The amount, or the input that is missing. */
  private reprice(delivered: DeliveredRequest): bigint | string {
    const { id, version } = delivered.tariff;
    const actual = this.actualTariff(id, version);
    const usable = actual !== undefined && usageUnit(actual) === this.unit;
    try {
      const request = recordedRequest(delivered, usable);
      const priced = delivered.inputs?.used === USED_UNKNOWN ? listPrice : price;
      return priced(this.tariff, request).amount;
    } catch (error) {
      if (error instanceof NotRecorded) return error.input;
      throw error;
    }
  }
}

/** In what, and from when on, a tariff counts usage: numbers of one unit say nothing in another. */
function usageUnit({ charges, period }: Tariff): string {
  const quantities = new Set(charges.flatMap((charge) => (isCounted(charge) ? [quantityKey(charge.quantity)] : [])));
  return JSON.stringify([period ?? null, ...[...quantities].sort()]);
}

function count(sums: Map<string, Sum>, keys: readonly string[], actual: bigint, simulated: bigint): void {
  const key = keys.join('\n');
  const sum = sums.get(key) ?? { keys, requests: 0n, actual: 0n, simulated: 0n };
  sum.requests += 1n;
  sum.actual += actual;
  sum.simulated += simulated;
  sums.set(key, sum);
}

function rowOf({ keys, actual, requests, simulated }: Sum): SimulatedRow {
  const [day, route, payer, asset] = keys as [string, string, string, string];
  return { day, route, payer, asset, requests: `${requests}`, actual: `${actual}`, simulated: `${simulated}` };
}

/** By code units, which is the same on every machine. */
function sorted(sums: ReadonlyMap<string, Sum>): readonly Sum[] {
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum);
}
