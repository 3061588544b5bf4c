import { ruleHandler } from './rule-handler.js';
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
  stream: ({ payer, tenant }: ListPayer | UnlistPayer) => standingStream(tenant, payer),
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
    stream: ({ tenant }) => listModeStream(tenant),
    initial: 'open' as ListMode,
    evolve: evolveListMode,
    exists: () => true,
    changesStandings: true,
    decide: decideListMode,
  }),
];
