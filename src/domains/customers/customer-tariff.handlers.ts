import { AssignTariff, decideAssignTariff, decideRemoveTariff, RemoveTariff } from './customer-tariff.decide.js';
import { customerTariffStream, evolveCustomerTariff } from './customer-tariff.js';
import { ruleHandler } from './rule-handler.js';

const ofTariff = {
  stream: ({ payer, route, tenant }: AssignTariff | RemoveTariff) => customerTariffStream(tenant, payer, route),
  initial: undefined as string | undefined,
  evolve: evolveCustomerTariff,
  exists: (tariff: string | undefined) => tariff !== undefined,
};

export const customerTariffHandlers = [
  ruleHandler(AssignTariff, { ...ofTariff, decide: decideAssignTariff }),
  ruleHandler(RemoveTariff, { ...ofTariff, decide: decideRemoveTariff }),
];
