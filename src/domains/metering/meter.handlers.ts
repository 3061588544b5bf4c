import { ruleHandler } from '../../base/event-store/rule-handler.js';
import { decidePublishMeter, decideWithdrawMeter, PublishMeter, WithdrawMeter } from './meter.decide.js';
import { evolveMeter, type Meter, meterStream } from './meter.js';

const ofMeter = {
  place: ({ id, tenant }: PublishMeter | WithdrawMeter) => ({ tenant, stream: meterStream(tenant, id) }),
  initial: undefined as Meter,
  evolve: evolveMeter,
  exists: (meter: Meter) => meter !== undefined && !meter.withdrawn,
};

export const meterHandlers = [
  ruleHandler(PublishMeter, {
    ...ofMeter,
    decide: (state, command: PublishMeter, _now, version) => decidePublishMeter(state, command, version),
  }),
  ruleHandler(WithdrawMeter, {
    ...ofMeter,
    decide: (state, command: WithdrawMeter, _now, version) => decideWithdrawMeter(state, command, version),
  }),
];
