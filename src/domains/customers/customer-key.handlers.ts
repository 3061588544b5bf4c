import { ruleHandler } from '../../base/event-store/rule-handler.js';
import {
  decideIssueKey,
  decideRevokeKey,
  decideRotateKey,
  IssueKey,
  RevokeKey,
  RotateKey,
} from './customer-key.decide.js';
import { type CustomerKeys, customerKeysStream, evolveCustomerKeys, noKeys } from './customer-key.js';

const ofKeys = {
  place: ({ payer, tenant }: IssueKey | RotateKey | RevokeKey) => ({
    tenant,
    stream: customerKeysStream(tenant, payer),
  }),
  initial: noKeys,
  evolve: evolveCustomerKeys,
  exists: (keys: CustomerKeys) => keys.size > 0,
};

export const customerKeyHandlers = [
  ruleHandler(IssueKey, { ...ofKeys, decide: decideIssueKey }),
  ruleHandler(RotateKey, { ...ofKeys, decide: decideRotateKey }),
  ruleHandler(RevokeKey, { ...ofKeys, decide: decideRevokeKey }),
];
