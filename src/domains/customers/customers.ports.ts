import type { Removal } from '../../base/event-store/unit-of-work.js';
import type { Address } from '../../base/shared/hex.js';

/** What later domains keep beside the events for a payer, that holds content and goes when the payer is erased. */
export type KeptContent = (tenant: string, payer: Address) => Promise<readonly Removal[]>;
