import fc from 'fast-check';
import type pg from 'pg';
import { canonicalJsonb } from '../../src/base/event-store/seals/jsonb.js';
import { dataDigest, headerOf, type SealRow } from '../../src/base/event-store/seals/leaf.js';
import { readSealRows } from '../../src/base/event-store/seals/seal-rows.js';
import { canonicalJson, type Json, type JsonObject } from '../../src/base/shared/json.js';
import { runs } from '../support/long.js';
import { openLog, type SealedLog } from './support.js';

let log: SealedLog;

beforeAll(async () => {
  log = await openLog();
});
afterAll(() => log.close());

/** What Postgres prints of values after it has stored them as `jsonb`. */
async function printed(pool: pg.Pool, values: readonly Json[]): Promise<string[]> {
  const { rows } = await pool.query<{ text: string }>('select v::jsonb::text as text from unnest($1::text[]) as v', [
    values.map((value) => JSON.stringify(value)),
  ]);
  return rows.map(({ text }) => text);
}

/** What `jsonb` can hold: no null characters, no half of a pair of surrogates. */
const text = fc.string({ unit: 'binary' }).map((value) => value.replaceAll('\0', ''));
const value = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, false),
    fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }).map((n) => (n === 0 ? 0 : n)),
    text,
    fc.string({ unit: fc.constantFrom('"', '\\', ',', ':', '{', '}', '[', ']', ' ', '\n', '\u007f', 'é', '😀') }),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(fc.oneof(text, fc.constantFrom('10', '9', 'a"b', 'a\\', '__proto__')), tie('value'), { maxKeys: 6 }),
  ),
})).value;

describe('the canonical form', () => {
  it('of what Postgres prints is the canonical form of the value', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 30 }), async (values) => {
        const texts = await printed(log.pool, values);
        expect(texts.map(canonicalJsonb)).toEqual(values.map(canonicalJson));
      }),
      runs(60, 2_000),
    );
  });

  it.each(['1.0', '9007199254740993', '1.00000000000000000001', '100000000000000000000000'])(
    'leaves the number %s as it is stored',
    async (number) => {
      const { rows } = await log.pool.query<{ text: string }>('select $1::jsonb::text as text', [`{"n": ${number}}`]);
      expect(canonicalJsonb(rows[0]!.text)).toBe(`{"n":${number}}`);
    },
  );
});

describe('the header of an event', () => {
  it('is what the event says, in canonical form, with the digest of its data', async () => {
    await log.pay(0, 8);
    const rows = await readSealRows(log.pool, 0n, 100);
    const stored = await log.pool.query('select * from events order by position');
    const headers = rows.map(headerOf);
    expect(headers).toEqual(
      stored.rows.map((row) => ({
        at: row.occurred_at.toISOString(),
        digest: dataDigest(row.data as JsonObject),
        kind: 'tollbook-event-1',
        position: row.position,
        schema: row.schema,
        stream: row.stream,
        tenant: row.tenant,
        type: row.type,
        version: row.version,
      })),
    );
    for (const header of headers) expect(canonicalJson({ ...header })).toBe(JSON.stringify(header));
  });

  it.each([
    ['2026-11-23 12:00:00', '2026-11-23T12:00:00.000Z'],
    ['2026-11-23 12:00:00.5', '2026-11-23T12:00:00.500Z'],
    ['2026-11-23 12:00:00.123456', '2026-11-23 12:00:00.123456'],
    ['infinity', 'infinity'],
  ])('says %s as %s', (stored, at) => {
    const row: SealRow = ['1', 's', '1', 'T', '1', 't', '{}', stored];
    expect(headerOf(row).at).toBe(at);
  });
});
