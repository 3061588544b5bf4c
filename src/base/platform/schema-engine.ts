import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';
import { packageRoot } from './package-root.js';

interface WasmExports {
  __wbindgen_start(): void;
}

/** As far as used here; the type libraries for Node 20 leave it out. */
declare const WebAssembly: {
  instantiate(binary: Uint8Array, imports: object): Promise<{ instance: { exports: WasmExports } }>;
};

/** What the declarations of the generated bindings leave out. */
interface WasmBindings {
  __wbg_set_wasm(exports: WasmExports): void;
}

let loaded: Promise<void> | undefined;

/**
 * Does some work with Prisma's schema engine on one database. The engine is the WebAssembly that ships with npm: the
 * command line tool would download a native one.
 *
 * @param databaseUrl a postgres:// URL
 */
export async function withSchemaEngine<T>(
  databaseUrl: string,
  work: (engine: bindings.SchemaEngine) => Promise<T>,
): Promise<T> {
  loaded ??= load();
  await loaded;
  const schema = await prismaSchema();
  // The engine locks for its session and never closes it: one connection, which ends here.
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  try {
    const adapter = bindMigrationAwareSqlAdapterFactory(new WholeScripts(pool));
    const datamodels: [string, string][] = [[schema.path, schema.content]];
    const engine = await bindings.SchemaEngine.new({ datamodels }, () => undefined, adapter);
    try {
      return await work(engine);
    } finally {
      engine.free();
    }
  } finally {
    await pool.end();
  }
}

/**
 * The stock adapter cuts scripts at every semicolon, function bodies included. Sent whole, as the native engine does,
 * a script is also one transaction.
 */
class WholeScripts extends PrismaPg {
  override async connect() {
    const connection = await super.connect();
    connection.executeScript = async (sql) => {
      await connection.executeRaw({ sql, args: [], argTypes: [] });
    };
    return connection;
  }
}

/** prisma/schema.prisma as the engine takes it. */
export async function prismaSchema(): Promise<{ path: string; content: string }> {
  const path = join(packageRoot, 'prisma', 'schema.prisma');
  return { path, content: await readFile(path, 'utf8') };
}

/** Node imports no .wasm files by itself, so the package's own entry point cannot be used. */
async function load(): Promise<void> {
  const entry = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const binary = await readFile(entry.replace(/\.js$/, '.wasm'));
  const { instance } = await WebAssembly.instantiate(binary, { './schema_engine_bg.js': bindings });
  (bindings as unknown as WasmBindings).__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
}
