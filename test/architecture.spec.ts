import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Sources, violations } from './support/architecture-rules.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');

function sourcesUnder(...folders: string[]): Sources {
  const paths = folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !/node_modules|^generated/.test(path))
      .map((path) => join(folder, path)),
  );
  return new Map(paths.map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]));
}

function problemsOf(files: Record<string, string>): string[] {
  return violations(new Map(Object.entries(files)));
}

describe('the three floors', () => {
  it('hold: imports go down only', () => {
    expect(violations(sourcesUnder('src', 'test'))).toEqual([]);
  });

  it.each([
    ['base never sees domains', 'src/base/chain/a.ts', '../../domains/payments/b.js', 'src/domains/payments/b.ts'],
    ['base never sees edges', 'src/base/x402/a.ts', '../../edges/gateway/b.js', 'src/edges/gateway/b.ts'],
    ['domains never see edges', 'src/domains/ledger/a.ts', '../../edges/admin/b.js', 'src/edges/admin/b.ts'],
    ['shared imports nothing', 'src/base/shared/a.ts', '../platform/b.js', 'src/base/platform/b.ts'],
    ['platform sees only shared', 'src/base/platform/a.ts', '../event-store/b.js', 'src/base/event-store/b.ts'],
    ['pricing is before payments', 'src/domains/pricing/a.ts', '../payments/b.js', 'src/domains/payments/b.ts'],
    ['payments is before receipts', 'src/domains/payments/a.ts', '../receipts/b.js', 'src/domains/receipts/b.ts'],
    ['an edge is no composition root', 'src/edges/gateway/a.ts', '../../main.js', 'src/main.ts'],
    ['a domain has a place in the order', 'src/domains/misc/a.ts', '../pricing/b.js', 'src/domains/pricing/b.ts'],
  ])('%s', (_rule, from, specifier, to) => {
    expect(problemsOf({ [from]: `import type { B } from '${specifier}';`, [to]: 'export type B = 1;' })).toEqual([
      `${from}: must not import ${to}`,
    ]);
  });

  it('allow what points down', () => {
    const files = {
      'src/main.ts': "import './gateway.module.js';",
      'src/gateway.module.ts': "import './edges/gateway/offer.js';",
      'src/edges/gateway/offer.ts': "import '../../domains/payments/b.js';",
      'src/domains/payments/b.ts': "import '../pricing/c.js';\nimport '../../base/chain/d.js';",
      'src/domains/pricing/c.ts': "import '../../base/shared/money.js';",
      'src/base/chain/d.ts': "import '../shared/money.js';",
      'src/base/shared/money.ts': '',
    };
    expect(problemsOf(files)).toEqual([]);
  });
});

describe('the other rules', () => {
  it('find import cycles', () => {
    const files = { 'src/base/chain/a.ts': "import './b.js';", 'src/base/chain/b.ts': "import('./a.js');" };
    expect(problemsOf(files)).toEqual([
      'src/base/chain/a.ts: import cycle src/base/chain/a.ts -> src/base/chain/b.ts -> src/base/chain/a.ts',
    ]);
  });

  it.each([
    ['forwardRef', 'src/domains/payments/a.ts', 'forwardRef(() => 1)'],
    ['barrels', 'src/domains/payments/index.ts', ''],
    ['long files', 'src/edges/cli/a.ts', '\n'.repeat(300).concat('1')],
    ['money as a number', 'src/edges/cli/a.ts', 'interface A { maxAmount?: number }'],
    ['prices as a number', 'src/edges/cli/a.ts', 'function f(price: number) {}'],
    ['viem clients', 'src/edges/admin/a.ts', "import { createPublicClient } from 'viem';"],
    ['Prisma', 'src/edges/admin/a.ts', "import { PrismaClient } from '../../generated/prisma/client.js';"],
    ['Prisma packages', 'src/domains/ledger/a.ts', "import '@prisma/client';"],
  ])('refuse %s', (_what, path, text) => {
    expect(problemsOf({ [path]: text })).toHaveLength(1);
  });

  it('allow counts beside money, Prisma in queries, and whatever is generated', () => {
    const files = {
      'src/edges/admin/payments.queries.ts': "import '@prisma/client';",
      'src/base/shared/money.ts': 'function formatUnits(amount: bigint, amountDigits: number) {}',
      'src/base/platform/prisma.ts': "import '../../generated/prisma/client.js';",
      'src/generated/prisma/client.ts': "import './models.js';",
      'src/generated/prisma/models.ts': "import './client.js';",
    };
    expect(problemsOf(files)).toEqual([]);
  });
});
