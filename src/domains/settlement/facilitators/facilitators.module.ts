import { type DynamicModule, Module } from '@nestjs/common';
import { ruleHandler } from '../../../base/event-store/rule-handler.js';
import { ChooseFacilitators, decideChoose } from './facilitator-list.decide.js';
import { evolveFacilitators, type FacilitatorList, facilitatorsStream, noFacilitators } from './facilitator-list.js';
import { type Authorizations, FacilitatorVault } from './facilitator-vault.js';

/** Who settles for which tenant, as the control plane changes it. Needs the store, the pool and the command bus from a global module. */
@Module({})
export class FacilitatorsModule {
  /** @param key of what facilitators are shown */
  static of(key: Buffer): DynamicModule {
    const vault = new FacilitatorVault(key);
    const handler = ruleHandler(ChooseFacilitators, {
      place: ({ tenant }: ChooseFacilitators) => ({ tenant, stream: facilitatorsStream(tenant) }),
      initial: noFacilitators,
      evolve: evolveFacilitators,
      exists: (list: FacilitatorList) => list !== noFacilitators,
      beside: (pool, { tenant }) => vault.read(pool, tenant),
      decide: (list, command, _now, version, standing: Authorizations | undefined) =>
        decideChoose(list, command, version, standing ?? new Map(), vault),
    });
    return { module: FacilitatorsModule, providers: [handler] };
  }
}
