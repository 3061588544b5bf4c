import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decidePublishTariff } from '../../src/domains/pricing/catalogue.decide.js';
import { compileCatalogue } from '../../src/domains/pricing/catalogue.js';
import { tariffStream, unpublished } from '../../src/domains/pricing/publication.js';
import { price } from '../../src/domains/pricing/tariff.js';
import { type TariffRules, tariffSchema } from '../../src/domains/pricing/tariff.schemas.js';
import { checkShape } from '../../src/event-catalogue.js';
import { type Described, described } from '../support/priced.js';

const COOKBOOK = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'docs', 'cookbook.md');
const NOW = Date.parse('2026-11-25T00:00:00Z');
const ROW = /^\| `(.+?)` +\| +([0-9]+) \|$/gm;

interface Case {
  readonly recipe: string;
  readonly rules: TariffRules;
  readonly request: string;
  readonly expected: string;
}

/** Every row of every table, with the tariff of its section. */
function cases(): readonly Case[] {
  const [, ...recipes] = readFileSync(COOKBOOK, 'utf8').split('\n## ');
  return recipes.flatMap((text) => {
    const recipe = text.split('\n')[0]!;
    const rules = JSON.parse(/```json\n(.*?)```/s.exec(text)![1]!) as TariffRules;
    return [...text.matchAll(ROW)].map(([, request, expected]) => {
      return { recipe, rules, request: request!, expected: expected! };
    });
  });
}

function requestOf(text: string): Described {
  const { body, bodyBytes, used, ...rest } = JSON.parse(text);
  const sent = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
  return { ...rest, body: bodyBytes === undefined ? sent : 'x'.repeat(bodyBytes), used: BigInt(used ?? 0) };
}

const all = cases();

describe('the tariff cookbook', () => {
  it('has its recipes, each with requests and prices', () => {
    const recipes = new Set(all.map(({ recipe }) => recipe));
    const wanted = ['request', 'file', 'query', 'token'].map((what) => `Pay per ${what}`);
    expect([...recipes]).toEqual([
      ...wanted,
      'Tiered API',
      'Surge',
      'Classes of service',
      'Free allowance',
      'A share of an order',
    ]);
    const rows = readFileSync(COOKBOOK, 'utf8').match(/^\| `/gm)!;
    expect(all).toHaveLength(rows.length);
  });

  it.each(all)('$recipe: $request costs $expected', ({ expected, request, rules }) => {
    const command = { tenant: 'demo', id: 'recipe', rules };
    const [published] = decidePublishTariff(unpublished, command, NOW).events;
    const stored = JSON.parse(JSON.stringify(published));
    expect(checkShape({ ...stored, stream: tariffStream('demo', 'recipe') })).toBeUndefined();
    const version = { tenant: 'demo', id: 'recipe', version: 1, effectiveFrom: NOW };
    const catalogue = compileCatalogue({
      tenants: [],
      routes: [],
      tariffs: [{ ...version, tariff: tariffSchema.parse(stored.data.rules) }],
    });
    const { tariff } = catalogue.tariffAt({ tenant: 'demo', tariff: 'recipe' }, NOW)!;
    expect(price(tariff, described(requestOf(request))).amount).toBe(BigInt(expected));
  });
});
