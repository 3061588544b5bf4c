import { decideExplain, ExplainTransfer, unexplained } from './transfer.decide.js';
import { type Explanation, evolveTransfer, newTransfer, type TransferEvent, type WalletTransfer } from './transfer.js';

const inbound = { network: 'eip155:1', transaction: '0x01', logIndex: 3, amount: '7' } as unknown as WalletTransfer;
const found: TransferEvent = { type: 'InboundTransferFound', schema: 1, data: inbound };

function explain(as: Explanation, ...given: TransferEvent[]) {
  const place = { network: 'eip155:1', transaction: '0x01', logIndex: 3 } as const;
  return decideExplain(given.reduce(evolveTransfer, newTransfer), new ExplainTransfer('demo', place, as), 9);
}

const said = (as: Explanation): TransferEvent => ({
  type: 'InboundTransferExplained',
  schema: 1,
  data: { ...inbound, as },
});
const withdrawn = (as: Explanation): TransferEvent =>
  ({ ...said(as), type: 'InboundTransferExplanationWithdrawn' }) as TransferEvent;

describe('ExplainTransfer', () => {
  it('says what it was, and shows it in its row, which keeps its time', () => {
    const { attachments, events } = explain('income', found);
    expect(events).toEqual([said('income')]);
    expect(attachments).toMatchObject([{ table: 'chain_transfers', row: { state: 'income', found_at: new Date(9) } }]);
  });

  it('says nothing twice, and takes back what was said before', () => {
    expect(explain('income', found, said('income')).events).toEqual([]);
    expect(explain('returned', found, said('income')).events).toEqual([withdrawn('income'), said('returned')]);
    expect(explain('income', found, said('income'), withdrawn('income')).events).toEqual([said('income')]);
  });

  it('refuses what no event has, or has any more', () => {
    const reverted: TransferEvent = { type: 'InboundTransferReverted', schema: 1, data: inbound };
    for (const given of [[], [found, reverted], [found, said('income'), withdrawn('income'), reverted]]) {
      expect(() => explain('income', ...given)).toThrow('Only a receipt that no payment explains');
    }
  });

  it('leaves nothing to withdraw where nothing was said', () => expect(unexplained({ inbound })).toEqual([]));
});
