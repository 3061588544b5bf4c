import { Problem, type ProblemCode } from '../../base/shared/problem.js';

/** What the database refuses because it cannot be served beside what is published, by the constraint that says so. */
const refusals: Readonly<Record<string, { readonly code: ProblemCode; readonly pointer: string }>> = {
  tenants_host_key: { code: 'host_taken', pointer: '#/host' },
  routes_tenant: { code: 'not_found', pointer: '' },
  routes_tariff: { code: 'tariff_not_published', pointer: '#/tariff' },
  routes_pattern: { code: 'route_conflict', pointer: '#/pattern' },
};

/** The same error, or the problem that it means. */
export function refusalOf(error: unknown): unknown {
  const { constraint = '', message } = error as { constraint?: string; message: string };
  const refusal = Object.hasOwn(refusals, constraint) ? refusals[constraint] : undefined;
  if (!refusal) return error;
  const { code, pointer } = refusal;
  if (code === 'not_found') return new Problem(code, 'No such tenant');
  // What a unique constraint says names its index; what the others say is written for people.
  const detail = code === 'host_taken' ? undefined : message;
  return new Problem(code, detail, {}, [{ pointer, detail: detail ?? 'is the host of another tenant' }]);
}
