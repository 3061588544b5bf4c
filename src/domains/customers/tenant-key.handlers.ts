import { ruleHandler } from '../../base/event-store/rule-handler.js';
import { decideIssueTenantKey, decideRevokeTenantKey, IssueTenantKey, RevokeTenantKey } from './tenant-key.decide.js';
import { evolveTenantKeys, noTenantKeys, type TenantKeys, tenantKeysStream } from './tenant-key.js';

const ofKeys = {
  place: ({ kind, tenant }: IssueTenantKey | RevokeTenantKey) => ({ tenant, stream: tenantKeysStream(kind, tenant) }),
  initial: noTenantKeys,
  evolve: evolveTenantKeys,
  exists: (keys: TenantKeys) => keys.size > 0,
};

export const tenantKeyHandlers = [
  ruleHandler(IssueTenantKey, { ...ofKeys, decide: decideIssueTenantKey }),
  ruleHandler(RevokeTenantKey, { ...ofKeys, decide: decideRevokeTenantKey }),
];
