import { appendDecided } from '../../src/base/event-store/append-decided.js';
import type { PaymentEvent, PaymentId } from '../../src/domains/payments/payment.js';
import { paymentStream } from '../../src/domains/payments/payment.js';
import { ChooseFacilitators, decideChoose } from '../../src/domains/settlement/facilitators/facilitator-list.decide.js';
import {
  evolveFacilitators,
  type FacilitatorsChosen,
  facilitatorsStream,
  noFacilitators,
} from '../../src/domains/settlement/facilitators/facilitator-list.js';
import { facilitatorsSchema } from '../../src/domains/settlement/facilitators/facilitator-list.schemas.js';
import { FacilitatorVault } from '../../src/domains/settlement/facilitators/facilitator-vault.js';
import type { HostileFacilitator } from '../support/hostile-facilitator.js';
import { type Desk, FACILITATOR_KEY } from './support.js';

const vault = new FacilitatorVault(FACILITATOR_KEY);
/** Less than anybody patient would wait. */
export const TIMEOUT_MS = 400;

/** Says who settles for a tenant, as the control plane does. */
export async function choose(
  desk: Pick<Desk, 'pool' | 'store'>,
  facilitators: readonly (Pick<HostileFacilitator, 'url'> & { readonly authorization?: string })[],
  own: 'last' | 'never',
  tenant = 'demo',
): Promise<void> {
  const list = facilitators.map(({ authorization, url }) => {
    return { url, authorization, timeout_ms: TIMEOUT_MS, allow_private: true };
  });
  const command = new ChooseFacilitators(tenant, facilitatorsSchema.parse({ facilitators: list, own }));
  const place = { stream: facilitatorsStream(tenant), tenant };
  await appendDecided(desk.store, place, async (stored) => {
    const events = stored as unknown as readonly FacilitatorsChosen[];
    const standing = await vault.read(desk.pool, tenant);
    return decideChoose(events.reduce(evolveFacilitators, noFacilitators), command, stored.length, standing, vault);
  });
}

/** Types of a payment's events since its delivery, with who was asked. */
export async function storyOf(desk: Pick<Desk, 'store'>, id: PaymentId): Promise<string[]> {
  const events = (await desk.store.readStream(paymentStream(id))) as unknown as readonly PaymentEvent[];
  return events.slice(2).map((event) => {
    return event.type === 'SettlementDelegated' ? event.data.facilitator : event.type;
  });
}
