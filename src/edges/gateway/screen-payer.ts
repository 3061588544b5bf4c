import type { Address } from '../../base/shared/hex.js';
import { Problem } from '../../base/shared/problem.js';
import { type Screening, ScreeningUnavailable, verdictOn } from '../../domains/customers/screening.port.js';

/** Only whoever has proven who it is is asked after, so that strangers cannot make us ask. @throws Problem */
export async function mustBeClear(screening: Screening, payer: Address): Promise<void> {
  if (screening.known(payer) === 'clear') return;
  const verdict = await verdictOn(screening, payer).catch(asUnavailable);
  if (verdict === 'denied') throw new Problem('payer_denied');
}

function asUnavailable(error: unknown): never {
  throw error instanceof ScreeningUnavailable ? new Problem('screening_unavailable') : error;
}
