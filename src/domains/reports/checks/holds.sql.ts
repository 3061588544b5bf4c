/**
 * Rows `(key, amount)` of what the event `a` holds that let a request in. Version 1 of an authorization had one exposure of the whole
 * amount, or none; that of a free request the allowance alone. For use in a lateral join.
 */
export const holdsOfAuthorization = `(
  select a.data->>'hold' as key, (a.data->'terms'->>'amount')::numeric as amount where jsonb_typeof(a.data->'hold') = 'string'
  union all
  select a.data->'hold'->>'key', (a.data->'hold'->>'amount')::numeric where jsonb_typeof(a.data->'hold') = 'object'
  union all
  select hold->>'key', (hold->>'amount')::numeric from jsonb_array_elements(a.data->'holds') as hold)`;

/** Whether the authorization `a` holds exposure, that is, whether its answer goes out before it is settled. */
export const holdsExposure = `(a.data ? 'hold' or a.data @? '$.holds[*].key ? (@ starts with "exposure/")')`;
