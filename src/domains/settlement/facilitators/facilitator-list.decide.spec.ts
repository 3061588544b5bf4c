import { ChooseFacilitators, decideChoose } from './facilitator-list.decide.js';
import { type FacilitatorList, noFacilitators } from './facilitator-list.js';
import { facilitatorsSchema } from './facilitator-list.schemas.js';
import { FacilitatorVault } from './facilitator-vault.js';

const ONE = 'https://one.example/x402';
const vault = new FacilitatorVault(Buffer.alloc(32, 7));

function choose(body: object, state: FacilitatorList = noFacilitators, standing: readonly [string, string][] = []) {
  const command = new ChooseFacilitators('demo', facilitatorsSchema.parse(body));
  const { attachments = [], events } = decideChoose(state, command, 4, new Map(standing), vault);
  const list = events[0]?.data as unknown as FacilitatorList | undefined;
  const row = attachments[0]?.row;
  return { events, list, row, shown: vault.open('demo', (row?.secrets as Buffer | undefined) ?? null) };
}

describe('ChooseFacilitators', () => {
  it('keeps what is shown to a facilitator out of the event, and encrypted beside it', () => {
    const { events, list, row, shown } = choose({ facilitators: [{ url: ONE, authorization: 'Bearer secret' }] });
    expect(list).toEqual({
      facilitators: [{ url: ONE, timeoutMs: 10_000, allowPrivate: false, authorizationDigest: expect.any(String) }],
      own: 'last',
    });
    expect(JSON.stringify([events, row?.list])).not.toContain('secret');
    expect(String(row?.secrets)).not.toContain('secret');
    expect(shown).toEqual(new Map([[ONE, 'Bearer secret']]));
    expect(row).toMatchObject({ tenant: 'demo', revision: 5 });
  });

  it('opens for its tenant and with its key only', () => {
    const sealed = vault.seal('demo', new Map([[ONE, 'Bearer secret']]))!;
    expect(vault.open('other', sealed).size).toBe(0);
    expect(new FacilitatorVault(Buffer.alloc(32, 8)).open('demo', sealed).size).toBe(0);
  });

  it('keeps an authorization that is not named, changes one that is, and takes it away for null', () => {
    const standing: [string, string][] = [[ONE, 'Bearer old']];
    const { list } = choose({ facilitators: [{ url: ONE, authorization: 'Bearer old' }] });
    expect(choose({ facilitators: [{ url: ONE }] }, list, standing).events).toEqual([]);
    expect(choose({ facilitators: [{ url: ONE, authorization: 'Bearer new' }] }, list, standing).shown).toEqual(
      new Map([[ONE, 'Bearer new']]),
    );
    const without = choose({ facilitators: [{ url: ONE, authorization: null }] }, list, standing);
    expect(without.list?.facilitators[0]).not.toHaveProperty('authorizationDigest');
    expect(without.row?.secrets).toBeUndefined();
  });

  it('says nothing about what is so already', () => expect(choose({ facilitators: [] }).events).toEqual([]));
});

describe('what may be chosen', () => {
  const parse = (facilitator: object, rest: object = {}) =>
    facilitatorsSchema.safeParse({ facilitators: [facilitator], ...rest }).success;

  it.each([
    ['https://one.example', {}, true],
    ['https://one.example/a/b/', {}, true],
    ['http://one.example', {}, false],
    ['http://localhost:4020/facilitator', {}, false],
    ['http://localhost:4020/facilitator', { allow_private: true }, true],
    ['https://127.0.0.1', {}, false],
    ['https://[::1]', {}, false],
    ['https://169.254.169.254', {}, false],
    ['https://me:secret@one.example', {}, false],
    ['https://one.example/?key=secret', {}, false],
    ['https://one.example/#a', {}, false],
    ['file:///etc/passwd', { allow_private: true }, false],
    ['one.example', {}, false],
    [ONE, { timeout_ms: 50 }, false],
    [ONE, { authorization: 'Bearer a\r\nX: y' }, false],
    [ONE, { authorization: '' }, false],
    [ONE, { more: 1 }, false],
  ])('%s %o: %s', (url, rest, ok) => expect(parse({ url, ...rest })).toBe(ok));

  it('names nobody twice, and somebody at least', () => {
    const twice = [{ url: ONE }, { url: `${ONE}/` }];
    expect(facilitatorsSchema.safeParse({ facilitators: twice }).success).toBe(false);
    expect(facilitatorsSchema.safeParse({ facilitators: [], own: 'never' }).success).toBe(false);
  });
});
