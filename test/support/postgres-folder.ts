import { dirname } from 'node:path';
import pg from 'pg';

/** Folder to remove with a test's data: as root, Postgres keeps its cluster outside the data folder. */
export async function postgresFolder(databaseUrl: string, dataDir: string): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ data_directory: string }>('show data_directory');
    const folder = rows[0]!.data_directory;
    return folder.startsWith(dataDir) ? undefined : dirname(folder);
  } finally {
    await client.end();
  }
}
