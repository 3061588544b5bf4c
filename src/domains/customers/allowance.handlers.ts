import { ruleHandler } from '../../base/event-store/rule-handler.js';
import { decideRemoveAllowance, decideSetAllowance, RemoveAllowance, SetAllowance } from './allowance.decide.js';
import { type Allowance, allowanceStream, evolveAllowance } from './allowance.js';

const ofAllowance = {
  place: ({ payer, tenant }: SetAllowance | RemoveAllowance) => ({ tenant, stream: allowanceStream(tenant, payer) }),
  initial: undefined as Allowance | undefined,
  evolve: evolveAllowance,
  exists: (allowance: Allowance | undefined) => allowance !== undefined,
};

export const allowanceHandlers = [
  ruleHandler(SetAllowance, { ...ofAllowance, decide: decideSetAllowance }),
  ruleHandler(RemoveAllowance, { ...ofAllowance, decide: decideRemoveAllowance }),
];
