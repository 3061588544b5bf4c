import { broadcastRefusal } from './broadcast.js';

describe('broadcastRefusal', () => {
  it.each([
    ['already known', 'already_known'],
    ['transaction already imported', 'already_known'],
    ['nonce too low: next nonce 5, tx nonce 4', 'nonce_too_low'],
    ['insufficient funds for gas * price + value', 'refused'],
    ['replacement transaction underpriced', 'refused'],
    ['max fee per gas less than block base fee', 'refused'],
    ['header not found', undefined],
    ['internal error', undefined],
    ['rate limit reached', undefined],
    ['', undefined],
  ])('%s is %s', (message, kind) => {
    expect(broadcastRefusal(message)?.kind).toBe(kind);
  });
});
