import { parseAgentOptions } from './agent-options.js';
import { UsageError } from './command.js';

describe('agent options', () => {
  it('default to twenty instant payments at the running gateway', () => {
    expect(parseAgentOptions([])).toEqual({ calls: 20, pay: 'instant', url: undefined, receipts: undefined });
  });

  it('take what is said', () => {
    const url = 'http://127.0.0.1:4020';
    const kept = ['--calls', '3', '--url', url, '--receipts', 'kept'];
    expect(parseAgentOptions(kept)).toEqual({ calls: 3, pay: 'instant', url, receipts: 'kept' });
    expect(parseAgentOptions(['--pay', 'deferred'])).toMatchObject({ calls: 20, pay: 'deferred' });
  });

  it.each([
    ['no calls at all', ['--calls', '0']],
    ['half a call', ['--calls', '1.5']],
    ['another way to pay', ['--pay', 'later']],
    ['something that is no URL', ['--url', 'localhost']],
    ['a gateway elsewhere, since the key is public', ['--url', 'https://api.example.com']],
    ['a folder without a name', ['--receipts', '']],
    ['receipts of commitments, which have none', ['--pay', 'deferred', '--receipts', 'kept']],
    ['a flag nobody knows', ['--fast']],
  ])('refuse %s', (_what, args) => {
    expect(() => parseAgentOptions(args)).toThrow(UsageError);
  });
});
