import type { StoredEvent } from '../../base/event-store/event.js';
import type { UpcastStep } from '../../base/event-store/upcast.js';
import type { Hold } from '../limits/hold.js';
import type { FreeRequestGranted } from './free-request.js';

/** How it was written until quotas counted free requests: the allowance alone. */
export interface FreeRequestGrantedV1 {
  readonly type: 'FreeRequestGranted';
  readonly schema: 1;
  readonly data: Omit<FreeRequestGrantedV2['data'], 'holds'> & { readonly hold: Hold };
}

/** How it was written until simulations priced free requests. */
export interface FreeRequestGrantedV2 {
  readonly type: 'FreeRequestGranted';
  readonly schema: 2;
  readonly data: Omit<FreeRequestGranted['data'], 'urgency' | 'class' | 'inputs'>;
}

function grantedFromV1(old: StoredEvent['data']): StoredEvent['data'] {
  const { hold, ...same } = old as unknown as FreeRequestGrantedV1['data'];
  return { ...same, holds: [hold] } as unknown as StoredEvent['data'];
}

export const freeRequestUpcasts: readonly UpcastStep[] = [
  { type: 'FreeRequestGranted', from: 1, data: grantedFromV1 },
  { type: 'FreeRequestGranted', from: 2, data: (old) => old },
];
