import { escapeIdentifier, type PoolClient } from 'pg';
import type { Projection } from './projection.js';

/** Keys and indexes keep their names, so that later migrations find them; in the catalogue's terms, see pg_constraint. */
const FOREIGN_KEY = 'f';

interface TableShape {
  readonly name: string;
  /** Storage parameters, `fillfactor=80`. */
  readonly options: string[];
  readonly keys: { readonly name: string; readonly kind: string; readonly definition: string }[];
  readonly indexes: { readonly name: string; readonly unique: boolean; readonly definition: string }[];
  readonly triggers: string[];
  readonly grants: { readonly privilege: string; readonly grantee: string }[];
}

/** Postgres describes with `search_path = public` and in its pretty form, so without a schema. */
const DESCRIBE = `
  select c.relname as name, coalesce(c.reloptions, '{}') as options,
    (select coalesce(jsonb_agg(jsonb_build_object('name', k.conname, 'kind', k.contype,
       'definition', pg_get_constraintdef(k.oid, true)) order by k.oid), '[]')
     from pg_constraint k where k.conrelid = c.oid and k.contype in ('p', 'u', 'x', 'f')) as keys,
    (select coalesce(jsonb_agg(jsonb_build_object('name', i.indexrelid::regclass, 'unique', i.indisunique,
       'definition', pg_get_indexdef(i.indexrelid, 0, true)) order by i.indexrelid), '[]')
     from pg_index i where i.indrelid = c.oid
       and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.conrelid = c.oid)) as indexes,
    (select coalesce(jsonb_agg(pg_get_triggerdef(t.oid, true) order by t.tgname), '[]')
     from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal) as triggers,
    (select coalesce(jsonb_agg(jsonb_build_object('privilege', a.privilege_type,
       'grantee', case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end)), '[]')
     from aclexplode(c.relacl) a where a.grantee <> c.relowner) as grants
  from pg_class c where c.oid = any($1::regclass[]) order by c.relname`;

/** The schema that a projection is rebuilt in, quoted. */
export function rebuildSchema({ name }: Projection): string {
  return escapeIdentifier(`rebuild_${name}`);
}

/** For this transaction the projection's statements find its copies; everything else is where it always is. */
export async function useClone(client: PoolClient, projection: Projection): Promise<void> {
  await client.query(`set local search_path = ${rebuildSchema(projection)}, public`);
}

/**
 * Makes empty copies of the projection's tables: columns, checks, keys, unique indexes and triggers; what an earlier rebuild
 * left is dropped. The other indexes come when the rows are there (`finishClone`).
 *
 * @param unlogged for copies that are only compared: Postgres empties them after a crash
 */
export async function cloneTables(client: PoolClient, projection: Projection, unlogged: boolean): Promise<void> {
  const shapes = await describeTables(client, projection);
  const schema = rebuildSchema(projection);
  await client.query(`drop schema if exists ${schema} cascade`);
  await client.query(`create schema ${schema}`);
  await useClone(client, projection);
  for (const { name, options } of shapes) {
    const table = escapeIdentifier(name);
    const including = 'including all excluding indexes';
    await client.query(
      `create ${unlogged ? 'unlogged' : ''} table ${schema}.${table} (like public.${table} ${including})`,
    );
    if (options.length > 0) await client.query(`alter table ${table} set (${options.join(', ')})`);
  }
  // Foreign keys last: they refer to keys of the other tables.
  const isForeign = ({ kind }: { kind: string }) => kind === FOREIGN_KEY;
  for (const foreign of [false, true]) {
    for (const { keys, name } of shapes) {
      for (const key of keys.filter((one) => isForeign(one) === foreign)) {
        const constraint = `${escapeIdentifier(key.name)} ${key.definition}`;
        await client.query(`alter table ${escapeIdentifier(name)} add constraint ${constraint}`);
      }
    }
  }
  for (const { indexes, triggers, grants, name } of shapes) {
    for (const { definition } of indexes.filter(({ unique }) => unique)) await client.query(definition);
    for (const definition of triggers) await client.query(definition);
    for (const { grantee, privilege } of grants) {
      await client.query(`grant ${privilege} on ${escapeIdentifier(name)} to ${grantee}`);
    }
  }
}

/** Adds the indexes that were left out, if they are not there yet. */
export async function finishClone(client: PoolClient, projection: Projection): Promise<void> {
  const shapes = await describeTables(client, projection);
  await useClone(client, projection);
  for (const { indexes, name } of shapes) {
    const { rows } = await client.query<{ name: string }>(
      'select relname as name from pg_index join pg_class on pg_class.oid = indexrelid where indrelid = $1::regclass',
      [escapeIdentifier(name)],
    );
    const there = new Set(rows.map((row) => escapeIdentifier(row.name)));
    for (const { definition, name: index } of indexes) {
      if (!there.has(index) && !there.has(escapeIdentifier(index))) await client.query(definition);
    }
    await client.query(`analyze ${escapeIdentifier(name)}`);
  }
}

/** Whether a rebuild that was interrupted left tables that can be continued. */
export async function hasClone(client: PoolClient, projection: Projection): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>(
    `select count(*) = $2 as found from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where quote_ident(n.nspname) = quote_ident($1) and c.relkind = 'r' and c.relpersistence = 'p'`,
    [`rebuild_${projection.name}`, projection.tables.length],
  );
  return rows[0]!.found;
}

/** Puts the copies in the place of the live tables. Waits for readers as long as `lock_timeout` says. */
export async function swapTables(client: PoolClient, projection: Projection): Promise<void> {
  const live = projection.tables.map((table) => `public.${escapeIdentifier(table)}`).join(', ');
  const schema = rebuildSchema(projection);
  await client.query(`lock table ${live} in access exclusive mode`);
  await client.query(`drop table ${live}`);
  for (const table of projection.tables) {
    await client.query(`alter table ${schema}.${escapeIdentifier(table)} set schema public`);
  }
  await client.query(`drop schema ${schema}`);
}

async function describeTables(client: PoolClient, { tables }: Projection): Promise<TableShape[]> {
  await client.query('set local search_path = public');
  const { rows } = await client.query<TableShape>(DESCRIBE, [tables.map(escapeIdentifier)]);
  return rows;
}
