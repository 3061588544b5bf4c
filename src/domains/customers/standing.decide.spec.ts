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
  type ListModeChanged,
  type StandingEvent,
} from './standing.js';

const PAYER = `0x${'ab'.repeat(20)}` as const;
const NOW = Date.UTC(2026, 0, 2);
const denied: ListEntry = { list: 'deny', reason: 'fraud' };
const folded = (state: ListEntry | undefined, events: readonly object[]) =>
  (events as readonly StandingEvent[]).reduce<ListEntry | undefined>(evolveStanding, state);

describe('listing a payer', () => {
  it('writes the entry and the row that admissions read', () => {
    const decision = decideListPayer(undefined, new ListPayer('demo', PAYER, 'deny', 'fraud'), NOW, 0);
    expect(folded(undefined, decision.events)).toEqual(denied);
    const row = {
      tenant: 'demo',
      payer: PAYER,
      standing: 'denied',
      reason: 'fraud',
      revision: 1,
      since: new Date(NOW),
    };
    expect(decision.attachments).toEqual([{ table: 'payer_standings', row }]);
  });

  it('moves it from one list to the other', () => {
    const decision = decideListPayer(denied, new ListPayer('demo', PAYER, 'allow', 'contract'), NOW, 0);
    expect(folded(denied, decision.events)).toEqual({ list: 'allow', reason: 'contract' });
    expect(decision.attachments).toMatchObject([{ row: { standing: 'allowed' } }]);
  });

  it('writes nothing for the entry that stands, but another reason is news', () => {
    expect(decideListPayer(denied, new ListPayer('demo', PAYER, 'deny', 'fraud'), NOW, 0)).toEqual({ events: [] });
    expect(decideListPayer(denied, new ListPayer('demo', PAYER, 'deny', 'unpaid'), NOW, 0).events).toHaveLength(1);
  });
});

describe('taking a payer off the lists', () => {
  it('removes its row', () => {
    const decision = decideUnlistPayer(denied, new UnlistPayer('demo', PAYER));
    expect(folded(denied, decision.events)).toBeUndefined();
    expect(decision.removals).toEqual([{ table: 'payer_standings', key: { tenant: 'demo', payer: PAYER } }]);
  });

  it('writes nothing for one that is on none', () => {
    expect(decideUnlistPayer(undefined, new UnlistPayer('demo', PAYER))).toEqual({ events: [] });
  });
});

describe('the mode of the lists', () => {
  it('is a row for everybody', () => {
    const { attachments, events } = decideListMode('open', new ChangeListMode('demo', 'allow_listed'), NOW, 0);
    expect((events as ListModeChanged[]).reduce(evolveListMode, 'open')).toBe('allow_listed');
    expect(attachments).toMatchObject([{ row: { payer: '*', standing: 'denied' } }]);
    expect(decideListMode('allow_listed', new ChangeListMode('demo', 'open'), NOW, 0).attachments).toMatchObject([
      { row: { payer: '*', standing: 'allowed' } },
    ]);
    expect(decideListMode('open', new ChangeListMode('demo', 'open'), NOW, 0)).toEqual({ events: [] });
  });
});
