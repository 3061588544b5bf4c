import { type Restoration, readRestorations, recordLoss } from './restorations.js';
import { Sealer, type SealerParts } from './sealer.js';

/**
 * Puts on record that every loss so far is known, so that `verifySeals` names it no more as a difference. A loss that
 * nobody has found yet is found first.
 *
 * @returns the losses that were not accepted before
 */
export async function acceptLoss(parts: SealerParts): Promise<readonly Restoration[]> {
  const sealer = new Sealer(parts);
  while (await sealer.step());
  const { restorations, version } = await readRestorations(parts.pool);
  const open = restorations.filter(({ accepted }) => !accepted);
  for (const [index, { seals }] of open.entries()) {
    await recordLoss(parts.store, version + index, { type: 'LossAccepted', schema: 1, data: { seals } });
  }
  while (await sealer.step());
  return open;
}
