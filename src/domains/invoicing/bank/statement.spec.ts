import fc from 'fast-check';
import { namedInvoices } from './named-invoices.js';
import { LINES_MAX, readStatement, type StatementLayout } from './statement.js';

const layout: StatementLayout = {
  ...{ tenant: 'shop', account: 'NL01BANK', currency: 'USD', decimal: 'point', dates: 'YYYY-MM-DD', skip: 0 },
  columns: { date: 'date', amount: 'amount', text: ['text'] },
};
const read = (text: string, change: Partial<StatementLayout> = {}) =>
  readStatement(new TextEncoder().encode(text), { ...layout, ...change });
const code = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('a statement', () => {
  it('is read line by line, and says what is wrong with each', () => {
    const file = [
      'date,amount,text,more',
      '2026-12-01,12.50,"rent, INV-000001",x',
      'yesterday,1,a,',
      '2026-12-01,much,a,',
      '2026-12-01,0.00,a,',
      '2026-12-01,1',
      '2026-12-02,-12.50,  two\t blanks ,',
    ];
    expect(read(file.join('\r\n'))).toEqual([
      { row: 1, line: expect.objectContaining({ amount: 1250n, date: '2026-12-01', text: 'rent, INV-000001' }) },
      { row: 2, fault: 'date' },
      { row: 3, fault: 'amount' },
      { row: 4, fault: 'amount' },
      { row: 5, fault: 'columns' },
      { row: 6, line: expect.objectContaining({ amount: -1250n, text: 'two blanks' }) },
    ]);
  });

  it('has columns by name, and a currency in each line if that is said', () => {
    const columns = { date: 'Buchungstag', amount: 'Betrag', text: ['Name', 'Zweck'], currency: 'Währung' };
    const file =
      'Konto;1\nBuchungstag;Name;Zweck;Betrag;Währung\n1.12.2026;Acme;"INV ""1""";1.234,50;JPY\n1.12.2026;a;b;1;€\n';
    expect(read(file, { columns, decimal: 'comma', dates: 'DD.MM.YYYY', skip: 1 })).toEqual([
      { row: 1, fault: 'amount' },
      { row: 2, fault: 'currency' },
    ]);
    const euros = file.replace('JPY', 'eur');
    const [first] = read(euros, { columns, decimal: 'comma', dates: 'DD.MM.YYYY', skip: 1 });
    expect(first).toMatchObject({ line: { amount: 123_450n, currency: 'EUR', text: 'Acme INV "1"' } });
  });

  it('is refused as a whole if it is no such file', () => {
    const bad = ['', 'date,amount\n', 'date,amount,text\n2026-12-01,1,"a\n', 'date,date,amount,text\n'];
    for (const file of bad) expect([file, code(() => read(file))]).toEqual([file, 'invalid_request']);
    expect(code(() => readStatement(Uint8Array.of(0xff, 0xfe, 0x64), layout))).toBe('invalid_request');
    const long = `date,amount,text\n${'2026-12-01,1,a\n'.repeat(LINES_MAX + 1)}`;
    expect(code(() => read(long))).toBe('invalid_request');
  });

  it('says which columns there are, if it has not the ones that were named', () => {
    expect(() => read('Datum;Betrag\n')).toThrow(
      expect.objectContaining({ detail: expect.stringContaining('no column "date", but "Datum", "Betrag"') }),
    );
  });

  it('has the same ids in whatever form it comes, and different ones for equal lines', () => {
    const line = fc.record({
      date: fc.date({ min: new Date('2020-01-01'), max: new Date('2030-01-01'), noInvalidDate: true }),
      amount: fc.bigInt(1n, 10n ** 9n),
      sign: fc.constantFrom('', '-'),
      text: fc.constantFrom('INV-000001', 'a;b', 'a,b', 'say "x"', 'two\nlines', 'Ünïcode', ''),
    });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), fc.boolean(), fc.boolean(), (lines, crlf, bom) => {
        const end = crlf ? '\r\n' : '\n';
        const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
        const days = lines.map(({ date }) => date.toISOString().slice(0, 10));
        const units = lines.map(({ amount }) => `${amount / 100n}.${(amount % 100n).toString().padStart(2, '0')}`);
        const one = lines.map(({ sign, text }, n) => `${days[n]},${sign}${units[n]},${quoted(text)}`);
        const other = lines.map(({ sign, text }, n) => {
          const [year, month, day] = days[n]!.split('-');
          return `${quoted(` ${text} `)};${day}.${month}.${year};${sign}${units[n]!.replace('.', ',')}`;
        });
        const first = read(['date,amount,text', ...one].join('\n'));
        const second = read((bom ? '\ufeff' : '') + ['text;date;amount', ...other, ''].join(end), {
          decimal: 'comma',
          dates: 'DD.MM.YYYY',
        });
        expect(second).toEqual(first);
        const ids = first.map((each) => ('line' in each ? each.line.id : undefined));
        expect(new Set(ids).size).toBe(lines.length);
      }),
    );
  });
});

describe('the invoices that a text names', () => {
  it.each([
    ['INV-000042', [42]],
    ['pays inv 42, thanks', [42]],
    ['INV000042/INV-000043', [42, 43]],
    ['INV-000042 and INV-42', [42]],
    ['XINV-000042', []],
    ['INV-000042A', []],
    ['INV-0', []],
    ['42', []],
    ['inv 2026-12-01', []],
    ['Inv. 12,50', []],
    ['INV-000042-INV-000043', [42, 43]],
  ])('%s: %j', (text, numbers) => {
    expect(namedInvoices(text, 'INV')).toEqual(numbers);
  });

  it('are found among other words, and nothing else is', () => {
    const words = fc.array(fc.constantFrom('rent', 'EREF+123', '2026-12-01', 'SVWZ+', 'inv', 'Rechnung'), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(words, fc.integer({ min: 1, max: 999_999 }), words, (before, number, after) => {
        const named = `INV-${number.toString().padStart(6, '0')}`;
        const text = [...before.filter((word) => word !== 'inv'), named, ...after].join(' ');
        expect(namedInvoices(text, 'INV')).toEqual([number]);
      }),
    );
  });
});
