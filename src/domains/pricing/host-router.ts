import Router from 'find-my-way';
import type { Route, Tenant } from './catalogue.schemas.js';

/** A request that has a price. */
export interface Match {
  readonly tenant: Tenant;
  readonly route: Route;
  /** Decoded once; none is empty, a dot segment or holds a separator. */
  readonly params: Readonly<Record<string, string>>;
  /** Path to ask the upstream for, built from the route and `params` alone. */
  readonly upstreamPath: string;
}

/** A path as sent, without query: absolute-form, `//`, dot segments and odd characters are not for us to interpret. */
const PLAIN_PATH =
  /^\/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*(?:\/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+)*$/;
const PATH_MAX = 2048;
/** A decoded parameter that some server behind us could read as another path. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
const UNSAFE_PARAM = /^$|^\.{1,2}$|[\u0000-\u001f\u007f/\\%?#]/;

interface Target {
  readonly route: Route;
  readonly template: readonly string[];
}

/** The compiled routes of one tenant. Case-sensitive, no trailing-slash or duplicate-slash tolerance. */
export class HostRouter {
  private readonly router = Router({ caseSensitive: true, ignoreTrailingSlash: false, maxParamLength: 256 });
  private readonly methods = new Set<Router.HTTPMethod>();

  constructor(readonly tenant: Tenant) {}

  /** Why the route cannot be told from another one, or `undefined` once it is added. */
  add(route: Route): string | undefined {
    const methods = withHead(route.methods);
    const taken = methods.find((method) => this.router.hasRoute(method, route.pattern));
    if (taken !== undefined) return `another route already serves ${taken} ${route.pattern}`;
    const target: Target = { route, template: route.upstreamPath.split('/').slice(1) };
    for (const method of methods) {
      this.router.on(method, route.pattern, () => undefined, target);
      this.methods.add(method);
    }
    return undefined;
  }

  match(method: string, path: string): Match | undefined {
    if (!this.methods.has(method as Router.HTTPMethod) || path.length > PATH_MAX || !PLAIN_PATH.test(path)) {
      return undefined;
    }
    const found = this.router.find(method as Router.HTTPMethod, path);
    if (found === null) return undefined;
    const params = found.params as Record<string, string>;
    if (Object.values(params).some((value) => UNSAFE_PARAM.test(value))) return undefined;
    const { route, template } = found.store as Target;
    return { tenant: this.tenant, route, params, upstreamPath: fill(template, params) };
  }

  /** Methods that the path serves, for the `Allow` field of a 405 (RFC 9110 section 15.5.6). */
  allowedMethods(path: string): readonly string[] {
    return [...this.methods].filter((method) => this.match(method, path) !== undefined).sort();
  }
}

function withHead(methods: Route['methods']): Router.HTTPMethod[] {
  return methods.includes('GET') ? [...methods, 'HEAD'] : [...methods];
}

function fill(template: readonly string[], params: Readonly<Record<string, string>>): string {
  const segments = template.map((segment) =>
    segment.startsWith(':') ? encodeURIComponent(params[segment.slice(1)]!) : segment,
  );
  return `/${segments.join('/')}`;
}
