import { ruleHandler } from '../../../base/event-store/rule-handler.js';
import { decideRemoveAccount, decideSetAccount, RemoveCardAccount, SetCardAccount } from './card-account.decide.js';
import { type CardAccount, type CardAccountEvent, cardAccountStream, evolveCardAccount } from './card-account.js';
import { cardChargeHandlers } from './card-charge.handlers.js';
import { CompleteCardSetup, decideCompleteSetup, decideStartSetup, StartCardSetup } from './card-setup.decide.js';
import { type CardSetup, type CardSetupEvent, cardSetupStream, evolveSetup } from './card-setup.js';
import type { CardVault } from './card-vault.js';

const ACCOUNT = {
  place: ({ tenant }: { readonly tenant: string }) => ({ tenant, stream: cardAccountStream(tenant) }),
  initial: undefined,
  evolve: evolveCardAccount,
  exists: (account: CardAccount | undefined) => account !== undefined,
};

const SETUP = {
  place: ({ customer, tenant }: StartCardSetup | CompleteCardSetup) => {
    return { tenant, stream: cardSetupStream(tenant, customer) };
  },
  initial: undefined,
  evolve: evolveSetup,
  exists: (setup: CardSetup | undefined) => setup !== undefined,
};

/** Every command of cards. */
export function cardHandlers(vault: CardVault) {
  return [
    ...cardChargeHandlers,
    ruleHandler<SetCardAccount, CardAccountEvent, CardAccount | undefined>(SetCardAccount, {
      ...ACCOUNT,
      decide: (state, command, _now, version) => decideSetAccount(state, command, version, vault),
    }),
    ruleHandler<RemoveCardAccount, CardAccountEvent, CardAccount | undefined>(RemoveCardAccount, {
      ...ACCOUNT,
      decide: decideRemoveAccount,
    }),
    ruleHandler<StartCardSetup, CardSetupEvent, CardSetup | undefined>(StartCardSetup, {
      ...SETUP,
      decide: decideStartSetup,
    }),
    ruleHandler<CompleteCardSetup, CardSetupEvent, CardSetup | undefined>(CompleteCardSetup, {
      ...SETUP,
      decide: decideCompleteSetup,
    }),
  ];
}
