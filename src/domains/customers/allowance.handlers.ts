import { decideRemoveAllowance, decideSetAllowance, RemoveAllowance, SetAllowance } from './allowance.decide.js';
import { type Allowance, allowanceStream, evolveAllowance } from './allowance.js';
import { ruleHandler } from './rule-handler.js';

const ofAllowance = {
  stream: ({ payer, tenant }: SetAllowance | RemoveAllowance) => allowanceStream(tenant, payer),
  initial: undefined as Allowance | undefined,
  evolve: evolveAllowance,
  exists: (allowance: Allowance | undefined) => allowance !== undefined,
};

export const allowanceHandlers = [
  ruleHandler(SetAllowance, { ...ofAllowance, decide: decideSetAllowance }),
  ruleHandler(RemoveAllowance, { ...ofAllowance, decide: decideRemoveAllowance }),
];
