import { PassThrough } from 'node:stream';
import { eventually } from '../../../test/support/eventually.js';
import { UsageError } from './command.js';
import { parseSellOptions } from './sell-options.js';
import { complete, type Sale } from './sell-questions.js';

/** A person who types when asked. */
class Person {
  readonly terminal = { input: new PassThrough(), output: new PassThrough() };
  private shown = '';

  constructor() {
    // Like standard output, it does not end with a question.
    this.terminal.output.end = () => this.terminal.output;
    this.terminal.output.setEncoding('utf8').on('data', (text: string) => {
      this.shown += text;
    });
  }

  async reads(words: string): Promise<void> {
    await eventually(() => this.shown.includes(words));
  }

  types(text: string): void {
    this.terminal.input.write(text);
  }
}

async function asked(args: readonly string[], ...answers: readonly (readonly [string, string])[]): Promise<Sale> {
  const person = new Person();
  const sale = complete(parseSellOptions(args), person.terminal);
  for (const [question, answer] of answers) {
    await person.reads(question);
    person.types(`${answer}\n`);
  }
  return sale;
}

const UPSTREAM = ['Where does your API answer?', 'http://127.0.0.1:9000'] as const;
const PATH = ['Which path do you sell?', '/v1/search'] as const;
const PRICE = ['What does one request cost', '0.002'] as const;

describe('the questions of npm run sell', () => {
  it('are asked in turn, and their answers are what is sold', async () => {
    const sale = await asked([], UPSTREAM, PATH, PRICE);
    expect(sale).toMatchObject({ upstream: 'http://127.0.0.1:9000', path: '/v1/search', price: '0.002' });
  });

  it('are only about what the flags did not say', async () => {
    const sale = await asked(['--upstream', 'http://127.0.0.1:9000', '--price', '0.5'], PATH);
    expect(sale).toMatchObject({ path: '/v1/search', price: '0.5' });
  });

  it('take what stands there when nothing is typed', async () => {
    const sale = await asked([], [UPSTREAM[0], ''], [PATH[0], ''], [PRICE[0], '']);
    expect(sale).toMatchObject({ upstream: 'http://127.0.0.1:9000', path: '/', price: '0.001' });
  });

  it('say what is wrong with an answer, and wait for another', async () => {
    const person = new Person();
    const sale = complete(parseSellOptions([]), person.terminal);
    await person.reads(UPSTREAM[0]);
    person.types('ftp://api\n');
    await person.reads('The upstream is the address of your API');
    const [CLEAR, ENTER] = ['\u0015', '\n'];
    person.types(`${CLEAR}https://api.example.com${ENTER}`);
    for (const [question, answer] of [PATH, PRICE]) {
      await person.reads(question);
      person.types(answer + ENTER);
    }
    expect(await sale).toMatchObject({ upstream: 'https://api.example.com' });
  });

  it('can be broken off', async () => {
    const person = new Person();
    const sale = complete(parseSellOptions([]), person.terminal);
    const refused = expect(sale).rejects.toThrow(new UsageError('Nothing was published.'));
    await person.reads(UPSTREAM[0]);
    const CONTROL_C = '\u0003';
    person.types(CONTROL_C);
    await refused;
  });

  it('are asked of nobody where there is no terminal', async () => {
    await expect(complete(parseSellOptions(['--path', '/x']), undefined)).rejects.toThrow('Say --upstream, --price');
  });
});
