import { withoutSecrets } from './without-secrets.js';

const KEY = 'tbf_0123456789abcdefABCDEF';

describe('a text without secrets', () => {
  it.each([
    ['the whole header', `bad header: Bearer ${KEY}!`, `bad header: Bearer ${'\ufffd'.repeat(KEY.length)}!`],
    ['the key alone, in other letters', `no ${KEY.toUpperCase()}`, `no ${'\ufffd'.repeat(KEY.length)}`],
    ['a part of the key', `key ${KEY.slice(0, 10)}... is wrong`, `key ${'\ufffd'.repeat(10)}... is wrong`],
    ['nothing of it', 'insufficient_funds for Bearer', 'insufficient_funds for Bearer'],
    ['it twice', `${KEY} ${KEY}`, `${'\ufffd'.repeat(KEY.length)} ${'\ufffd'.repeat(KEY.length)}`],
  ])('has %s blanked', (_, text, expected) => expect(withoutSecrets(text, [`Bearer ${KEY}`])).toBe(expected));

  it('has the name and the password of a Basic one blanked', () => {
    const shown = `Basic ${Buffer.from('me:pass').toString('base64')}`;
    expect(withoutSecrets(`me:pass, pass, ${shown}`, [shown])).not.toMatch(/pass|bWU6/);
  });

  it('has a short one blanked, and one without a scheme', () => {
    expect(withoutSecrets('not abc', ['abc'])).toBe('not \ufffd\ufffd\ufffd');
    expect(withoutSecrets('as it was', ['', ' '])).toBe('as it was');
  });
});
