import type { PoolClient } from 'pg';
import { together } from './together.js';
import type { Attachment, AttachmentTable, Removal } from './unit-of-work.js';

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
      revision: 'int',
    },
    replace: true,
  },
  routes: {
    key: ['tenant', 'id'],
    columns: { tenant: 'text', id: 'text', revision: 'int', config: 'jsonb' },
    replace: true,
  },
  limits: {
    key: ['tenant', 'id'],
    columns: { tenant: 'text', id: 'text', revision: 'int', rules: 'jsonb' },
    replace: true,
  },
  customer_details: {
    key: ['tenant', 'payer'],
    columns: {
      tenant: 'text',
      payer: 'text',
      name: 'text',
      email: 'text',
      note: 'text',
      revision: 'int',
      updated_at: 'timestamptz',
    },
    replace: true,
  },
  customer_tariffs: {
    key: ['tenant', 'payer', 'route'],
    columns: { tenant: 'text', payer: 'text', route: 'text', tariff: 'text', revision: 'int' },
    replace: true,
  },
  commitment_evidence: {
    key: ['id'],
    columns: { id: 'text', base: 'text', signature: 'bytea' },
  },
  running_free_requests: {
    key: ['id'],
    columns: { id: 'text', gateway: 'text', since: 'timestamptz' },
  },
  allowances: {
    key: ['tenant', 'payer'],
    columns: {
      tenant: 'text',
      payer: 'text',
      counts: 'text',
      quota: 'numeric',
      period: 'text',
      revision: 'int',
      set_at: 'timestamptz',
    },
    replace: true,
  },
  customer_keys: {
    key: ['id'],
    columns: {
      id: 'text',
      tenant: 'text',
      payer: 'text',
      digest: 'text',
      issued_at: 'timestamptz',
      expires_at: 'timestamptz',
      scope: 'jsonb',
    },
    replace: true,
  },
  facilitator_keys: {
    key: ['id'],
    columns: { id: 'text', tenant: 'text', digest: 'text', issued_at: 'timestamptz' },
  },
  ingestion_keys: {
    key: ['id'],
    columns: { id: 'text', tenant: 'text', digest: 'text', issued_at: 'timestamptz' },
  },
  meters: {
    key: ['tenant', 'id'],
    columns: { tenant: 'text', id: 'text', revision: 'int', rules: 'jsonb', withdrawn: 'boolean' },
    replace: true,
  },
  tenant_facilitators: {
    key: ['tenant'],
    columns: { tenant: 'text', list: 'jsonb', secrets: 'bytea', revision: 'int' },
    replace: true,
  },
  payer_standings: {
    key: ['tenant', 'payer'],
    columns: {
      tenant: 'text',
      payer: 'text',
      standing: 'text',
      reason: 'text',
      revision: 'int',
      since: 'timestamptz',
    },
    replace: true,
  },
  chain_transfers: {
    key: ['network', 'transaction', 'log_index', 'direction'],
    columns: {
      network: 'text',
      transaction: 'text',
      log_index: 'int',
      direction: 'text',
      tenant: 'text',
      asset: 'text',
      wallet: 'text',
      counterparty: 'text',
      amount: 'numeric',
      block_number: 'bigint',
      block_hash: 'text',
      payment: 'text',
      state: 'text',
      found_at: 'timestamptz',
    },
    replace: true,
  },
  chain_wallets: {
    key: ['network', 'asset', 'wallet'],
    columns: {
      network: 'text',
      asset: 'text',
      wallet: 'text',
      tenant: 'text',
      opened_at: 'bigint',
      block_number: 'bigint',
    },
  },
  accounts: {
    key: ['tenant', 'customer'],
    columns: {
      tenant: 'text',
      customer: 'text',
      currency: 'text',
      network: 'text',
      asset: 'text',
      decimals: 'int',
      credit_line: 'numeric',
      period: 'text',
      time_zone: 'text',
      way_to_pay: 'text',
      pay_reference: 'text',
      suspended: 'text',
      key_directory: 'text',
      directory_private: 'boolean',
      revision: 'int',
      opened_at: 'timestamptz',
    },
    replace: true,
  },
  account_keys: {
    key: ['tenant', 'key_id'],
    columns: { tenant: 'text', key_id: 'text', customer: 'text', x: 'text', source: 'text', added_at: 'timestamptz' },
  },
  account_wallets: {
    key: ['tenant', 'wallet'],
    columns: { tenant: 'text', wallet: 'text', customer: 'text' },
  },
  tenant_clocks: {
    key: ['tenant'],
    columns: { tenant: 'text', offset_ms: 'bigint' },
    replace: true,
  },
  invoice_parties: {
    key: ['invoice'],
    columns: { invoice: 'text', seller: 'jsonb', buyer: 'jsonb' },
  },
  card_accounts: {
    key: ['tenant'],
    columns: {
      tenant: 'text',
      processor: 'text',
      api_base: 'text',
      allow_private: 'boolean',
      secrets: 'bytea',
      revision: 'int',
    },
    replace: true,
  },
  card_setups: {
    key: ['tenant', 'customer'],
    columns: { tenant: 'text', customer: 'text', processor_id: 'text', completed: 'boolean' },
    replace: true,
  },
  tariffs: {
    key: ['tenant', 'id', 'version'],
    columns: { tenant: 'text', id: 'text', version: 'int', effective_from: 'timestamptz', rules: 'jsonb' },
  },
};

/** One insert per table and batch. Rows go in key order, so that two batches cannot deadlock on unique keys. */
export async function storeAttachments(client: PoolClient, attachments: readonly Attachment[]): Promise<void> {
  await together(byTable(attachments).map(([table, list]) => insertRows(client, table, list)));
}

/** One delete per table and batch, after what the batch stores. */
export async function storeRemovals(client: PoolClient, removals: readonly Removal[]): Promise<void> {
  await together(byTable(removals).map(([table, list]) => removeRows(client, table, list)));
}

/** In order of the tables' names. */
function byTable<T extends { readonly table: AttachmentTable }>(items: readonly T[]): [AttachmentTable, T[]][] {
  const lists = new Map<AttachmentTable, T[]>();
  for (const item of items) {
    const list = lists.get(item.table);
    if (list) list.push(item);
    else lists.set(item.table, [item]);
  }
  return [...lists].sort(([a], [b]) => (a < b ? -1 : 1));
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

async function removeRows(client: PoolClient, table: AttachmentTable, list: readonly Removal[]): Promise<void> {
  const { columns, key } = tables[table];
  const names = key.join(', ');
  const arrays = key.map((column, index) => `$${index + 1}::${columns[column]}[]`);
  // Locked in key order first, as inserts are.
  const rows = `select ${names} from ${table} where (${names}) in (select * from unnest(${arrays.join(', ')}))`;
  await client.query({
    name: `remove-${table}`,
    text: `delete from ${table} where (${names}) in (${rows} order by ${names} for update)`,
    values: key.map((column) => list.map((removal) => removal.key[column])),
  });
}
