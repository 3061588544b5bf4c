import { ruleHandler } from '../../base/event-store/rule-handler.js';
import { AssignTariff, decideAssignTariff, decideRemoveTariff, RemoveTariff } from './customer-tariff.decide.js';
import { customerTariffStream, evolveCustomerTariff } from './customer-tariff.js';

const ofTariff = {
  place: ({ payer, route, tenant }: AssignTariff | RemoveTariff) => ({
    tenant,
    stream: customerTariffStream(tenant, payer, route),
  }),
  initial: undefined as string | undefined,
  evolve: evolveCustomerTariff,
  exists: (tariff: string | undefined) => tariff !== undefined,
};

export const customerTariffHandlers = [
  ruleHandler(AssignTariff, { ...ofTariff, decide: decideAssignTariff }),
  ruleHandler(RemoveTariff, { ...ofTariff, decide: decideRemoveTariff }),
];
