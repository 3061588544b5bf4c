/** A migrated database that the others are copied from. */
export const TEMPLATE = 'tollbook_template';

/** The same server, another database. */
export function withDatabase(url: string, database: string): string {
  return Object.assign(new URL(url), { pathname: `/${database}` }).href;
}
