import { ruleHandler } from '../../base/event-store/rule-handler.js';
import { decidePublish, decideWithdraw, PublishLimit, WithdrawLimit } from './limit.decide.js';
import { evolveLimit, type Limit, limitStream } from './limit.js';

const ofLimit = {
  place: ({ id, tenant }: PublishLimit | WithdrawLimit) => ({ tenant, stream: limitStream(tenant, id) }),
  initial: undefined as Limit,
  evolve: evolveLimit,
  exists: (limit: Limit) => limit !== undefined,
};

export const limitHandlers = [
  ruleHandler(PublishLimit, {
    ...ofLimit,
    decide: (state, command: PublishLimit, _now, version) => decidePublish(state, command, version),
  }),
  ruleHandler(WithdrawLimit, { ...ofLimit, decide: decideWithdraw }),
];
