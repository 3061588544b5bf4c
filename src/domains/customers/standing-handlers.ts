import { ruleHandler } from '../../base/event-store/rule-handler.js';
import {
  ChangeListMode,
  decideListMode,
  decideListPayer,
  decideUnlistPayer,
  ListPayer,
  UnlistPayer,
} from './standing.decide.js';
import {
  evolveListMode,
  evolveStanding,
  type ListEntry,
  type ListMode,
  listModeStream,
  standingStream,
} from './standing.js';

const ofEntry = {
  place: ({ payer, tenant }: ListPayer | UnlistPayer) => ({ tenant, stream: standingStream(tenant, payer) }),
  initial: undefined as ListEntry | undefined,
  evolve: evolveStanding,
  exists: (entry: ListEntry | undefined) => entry !== undefined,
  changesStandings: true,
};

/** Apart from every admission: a payer is let in before a change, or by what it says. */
export const standingHandlers = [
  ruleHandler(ListPayer, { ...ofEntry, decide: decideListPayer }),
  ruleHandler(UnlistPayer, { ...ofEntry, decide: decideUnlistPayer }),
  ruleHandler(ChangeListMode, {
    place: ({ tenant }) => ({ tenant, stream: listModeStream(tenant) }),
    initial: 'open' as ListMode,
    evolve: evolveListMode,
    exists: () => true,
    changesStandings: true,
    decide: decideListMode,
  }),
];
