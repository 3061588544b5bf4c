import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VALIDITY_MAX_SECONDS } from '../../src/edges/gateway/terms.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const read = (...path: string[]) => readFileSync(join(ROOT, ...path), 'utf8');

describe('docs/retention.md', () => {
  const rows = read('docs', 'retention.md')
    .split('\n')
    .filter((line) => line.startsWith('| '));

  it('says of every table how long its rows are kept', () => {
    const tables = [...read('prisma', 'schema.prisma').matchAll(/@@map\("(\w+)"\)/g)].map((match) => match[1]!);
    expect(tables).toContain('events');
    expect(tables.filter((table) => !rows.some((row) => row.includes(`\`${table}\``)))).toEqual([]);
  });

  it('is right that an authorization lasts a day at most', () => {
    expect(VALIDITY_MAX_SECONDS).toBe(24 * 3600);
  });
});
