/**
 * Rows `(key, amount)` of what the authorization `a` holds: version 1 had one exposure of the whole amount, or none.
 * For use in a lateral join.
 */
export const holdsOfAuthorization = `(
  select a.data->>'hold' as key, (a.data->'terms'->>'amount')::numeric as amount where a.data ? 'hold'
  union all
  select hold->>'key', (hold->>'amount')::numeric from jsonb_array_elements(a.data->'holds') as hold)`;

/** Whether the authorization `a` holds exposure, that is, whether its answer goes out before it is settled. */
export const holdsExposure = `(a.data ? 'hold' or a.data @? '$.holds[*].key ? (@ starts with "exposure/")')`;
