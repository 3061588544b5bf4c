import type { Address } from '../../base/shared/hex.js';

export type Verdict = 'clear' | 'denied';

/** May anything be sold to this payer? Asked of a list or a service that the operator chose. */
export interface Screening {
  /** The verdict if it stands already, without asking anybody. */
  known(payer: Address): Verdict | undefined;
  /** @throws ScreeningUnavailable: nobody may be let in then */
  screen(payer: Address): Promise<Verdict>;
  /** @throws if it cannot be used as it is configured */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** No verdict could be had: no answer in time, or none that can be read. */
export class ScreeningUnavailable extends Error {}

/** The verdict that stands, else one that is asked for. @throws ScreeningUnavailable */
export async function verdictOn(screening: Pick<Screening, 'known' | 'screen'>, payer: Address): Promise<Verdict> {
  return screening.known(payer) ?? screening.screen(payer);
}

/** Nobody is screened. */
export const noScreening: Screening = {
  known: () => 'clear',
  screen: async () => 'clear',
  start: async () => undefined,
  stop: async () => undefined,
};

/** Clear if both say so; the first is asked first, and a denial of one needs no word of the other. */
export function both(first: Screening, second: Screening): Screening {
  return {
    known(payer) {
      const known = first.known(payer);
      return known === 'clear' ? second.known(payer) : known;
    },
    async screen(payer) {
      const verdict = await verdictOn(first, payer);
      return verdict === 'denied' ? verdict : verdictOn(second, payer);
    },
    async start() {
      await first.start();
      await second.start();
    },
    async stop() {
      await Promise.all([first.stop(), second.stop()]);
    },
  };
}
