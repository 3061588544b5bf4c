import { ruleHandler } from '../../base/event-store/rule-handler.js';
import {
  decideIssueFacilitatorKey,
  decideRevokeFacilitatorKey,
  IssueFacilitatorKey,
  RevokeFacilitatorKey,
} from './facilitator-key.decide.js';
import {
  evolveFacilitatorKeys,
  type FacilitatorKeys,
  facilitatorKeysStream,
  noFacilitatorKeys,
} from './facilitator-key.js';

const ofKeys = {
  place: ({ tenant }: IssueFacilitatorKey | RevokeFacilitatorKey) => ({
    tenant,
    stream: facilitatorKeysStream(tenant),
  }),
  initial: noFacilitatorKeys,
  evolve: evolveFacilitatorKeys,
  exists: (keys: FacilitatorKeys) => keys.size > 0,
};

export const facilitatorKeyHandlers = [
  ruleHandler(IssueFacilitatorKey, { ...ofKeys, decide: decideIssueFacilitatorKey }),
  ruleHandler(RevokeFacilitatorKey, { ...ofKeys, decide: decideRevokeFacilitatorKey }),
];
