/** Injection tokens of what has no class of its own. */
export const CONFIG = Symbol('Config');
export const SECRETS = Symbol('Secrets');
export const LOGGER = Symbol('Logger');
export const CLOCK = Symbol('Clock');
export const POOL = Symbol('Pool');
export const PRISMA = Symbol('Prisma');
export const CHAINS = Symbol('Chains');
