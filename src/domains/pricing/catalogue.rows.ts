import { type Catalogue, compileCatalogue, type FormerTariff } from './catalogue.js';
import { routeSchema, tenantSchema } from './catalogue.schemas.js';
import { tariffSchema } from './tariff.schemas.js';

/** Rows of the tables `tenants`, `routes` and `tariffs`, as the typed reads give them. */
export interface CatalogueRows {
  readonly tenants: readonly object[];
  readonly routes: readonly { readonly tenant: string; readonly id: string; readonly config: unknown }[];
  readonly tariffs: readonly {
    readonly tenant: string;
    readonly id: string;
    readonly version: number;
    readonly effectiveFrom: Date;
    readonly rules: unknown;
  }[];
  readonly formerTariffs?: readonly (Omit<FormerTariff, 'until'> & { readonly until: Date })[];
}

/** Throws if a row does not fit its schema: such a row was not written by a publication. */
export function catalogueFromRows(rows: CatalogueRows): Catalogue {
  return compileCatalogue({
    tenants: rows.tenants.map((row) => tenantSchema.parse(row)),
    routes: rows.routes.map(({ tenant, id, config }) => routeSchema.parse({ ...(config as object), tenant, id })),
    tariffs: rows.tariffs.map(({ tenant, id, version, effectiveFrom, rules }) => ({
      tenant,
      id,
      version,
      effectiveFrom: effectiveFrom.getTime(),
      tariff: tariffSchema.parse(rules),
    })),
    formerTariffs: rows.formerTariffs?.map((former) => ({ ...former, until: former.until.getTime() })),
  });
}
