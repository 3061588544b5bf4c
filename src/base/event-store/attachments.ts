import type { PoolClient } from 'pg';
import { together } from './together.js';
import type { Attachment, AttachmentTable } from './unit-of-work.js';

interface TableShape {
  readonly key: readonly string[];
  readonly columns: Readonly<Record<string, string>>;
  /** Configuration rows are replaced by newer events; rows of payments are written once. */
  readonly replace?: boolean;
}

const tables: Readonly<Record<AttachmentTable, TableShape>> = {
  authorizations: {
    key: ['payment_id'],
    columns: { payment_id: 'text', signature: 'bytea', valid_before: 'bigint' },
  },
  answers: {
    key: ['payment_id'],
    columns: { payment_id: 'text', ciphertext: 'bytea', expires_at: 'timestamptz' },
    replace: true,
  },
  tenants: {
    key: ['id'],
    columns: {
      id: 'text',
      host: 'text',
      upstream: 'text',
      upstream_secret: 'text',
      allow_private_upstream: 'boolean',
      payee: 'text',
      network: 'text',
      asset: 'text',
    },
    replace: true,
  },
  routes: {
    key: ['tenant', 'id'],
    columns: { tenant: 'text', id: 'text', revision: 'int', config: 'jsonb' },
    replace: true,
  },
  tariffs: {
    key: ['tenant', 'id', 'version'],
    columns: { tenant: 'text', id: 'text', version: 'int', effective_from: 'timestamptz', rules: 'jsonb' },
  },
};

/** One insert per table and batch. Rows go in key order, so that two batches cannot deadlock on unique keys. */
export async function storeAttachments(client: PoolClient, attachments: readonly Attachment[]): Promise<void> {
  const byTable = new Map<AttachmentTable, Attachment[]>();
  for (const attachment of attachments) {
    const list = byTable.get(attachment.table);
    if (list) list.push(attachment);
    else byTable.set(attachment.table, [attachment]);
  }
  await together([...byTable.keys()].sort().map((table) => insertRows(client, table, byTable.get(table)!)));
}

async function insertRows(client: PoolClient, table: AttachmentTable, list: Attachment[]): Promise<void> {
  const shape = tables[table];
  const sortKey = (attachment: Attachment) => shape.key.map((column) => String(attachment.row[column])).join('\n');
  list.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  const columns = Object.keys(shape.columns);
  await client.query({
    name: `attach-${table}`,
    text: insertText(table, shape),
    values: columns.map((column) => list.map((attachment) => attachment.row[column] ?? null)),
  });
}

function insertText(table: string, shape: TableShape): string {
  const columns = Object.keys(shape.columns);
  const arrays = columns.map((column, index) => `$${index + 1}::${shape.columns[column]}[]`);
  const rest = columns.filter((column) => !shape.key.includes(column));
  const conflict = shape.replace
    ? ` on conflict (${shape.key.join(', ')}) do update set ${rest.map((c) => `${c} = excluded.${c}`).join(', ')}`
    : '';
  return `insert into ${table} (${columns.join(', ')}) select * from unnest(${arrays.join(', ')})${conflict}`;
}
