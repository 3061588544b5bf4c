import { acceptanceBy, type Restoration, readRestorations, recordLoss } from './restorations.js';
import { Sealer, type SealerParts } from './sealer.js';

/**
 * Puts on record, signed, that every loss so far is known, so that `verifySeals` names it no more as a difference. A loss that
 * nobody has found yet is found first.
 *
 * @returns the losses that were not accepted before
 */
export async function acceptLoss(parts: SealerParts): Promise<readonly Restoration[]> {
  const sealer = new Sealer(parts);
  while (await sealer.step());
  const { pool, signer, store } = parts;
  const { restorations, version } = await readRestorations(pool, signer.jwks());
  const open = restorations.filter(({ accepted }) => !accepted);
  for (const [index, loss] of open.entries()) {
    await recordLoss(store, version + index, acceptanceBy(signer, loss));
  }
  while (await sealer.step());
  return open;
}
