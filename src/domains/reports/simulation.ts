import type { PaymentAuthorized } from '../payments/payment.js';
import { isCounted } from '../pricing/charges/charge.js';
import { listPrice } from '../pricing/list-price.js';
import { quantityKey } from '../pricing/request/quantity.js';
import { NotRecorded, recordedRequest, USED_UNKNOWN } from '../pricing/request/recorded-request.js';
import { price } from '../pricing/tariff.js';
import type { Tariff } from '../pricing/tariff.schemas.js';

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

interface Sum {
  readonly keys: readonly string[];
  requests: bigint;
  actual: bigint;
  simulated: bigint;
}

/** Prices delivered requests of the past by another tariff. Memory grows with the rows of the result alone. */
export class Simulation {
  private readonly rows = new Map<string, Sum>();
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
  add(authorized: PaymentAuthorized['data'], deliveredAt: Date): void {
    const { network, asset: address, amount, payer } = authorized.terms;
    const asset = `${network}/erc20:${address}`;
    const priced = this.reprice(authorized);
    if (typeof priced === 'string') {
      count(this.left, [priced, asset], BigInt(amount), 0n);
      return;
    }
    const day = deliveredAt.toISOString().slice(0, 10);
    count(this.rows, [day, authorized.route, payer, asset], BigInt(amount), priced);
  }

  /** In the order of day, route, payer and asset. */
  result(): { readonly rows: readonly SimulatedRow[]; readonly notRepriced: readonly NotRepriced[] } {
    return {
      rows: sorted(this.rows).map(({ keys, actual, requests, simulated }) => {
        const [day, route, payer, asset] = keys as [string, string, string, string];
        const amounts = { actual: `${actual}`, simulated: `${simulated}` };
        return { day, route, payer, asset, requests: `${requests}`, ...amounts };
      }),
      notRepriced: sorted(this.left).map(({ keys, actual, requests }) => {
        const [input, asset] = keys as [string, string];
        return { input, asset, requests: `${requests}`, actual: `${actual}` };
      }),
    };
  }

  /** The amount, or the input that is missing. */
  private reprice(authorized: PaymentAuthorized['data']): bigint | string {
    const { id, version } = authorized.tariff;
    const actual = this.actualTariff(id, version);
    const usable = actual !== undefined && usageUnit(actual) === this.unit;
    try {
      const request = recordedRequest(authorized, usable);
      const priced = authorized.inputs?.used === USED_UNKNOWN ? listPrice : price;
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

/** By code units, which is the same on every machine. */
function sorted(sums: ReadonlyMap<string, Sum>): readonly Sum[] {
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum);
}
