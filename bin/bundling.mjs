/** Puts what a process imports into few files: reading fifteen hundred small ones takes longer than running them. */
import { build } from 'esbuild';

/** Of many files each, plain JavaScript all of them. */
const BUNDLED = /^(@nestjs|@noble|@x402|@scure|abitype|ox|reflect-metadata|rxjs|structured-headers|viem|zod)(\/|$)/;
/** Optional parts of NestJS, which it looks for itself. */
const ABSENT = /^@nestjs\/(microservices|platform-express|websockets)(\/|$)/;

const outsiders = {
  name: 'outsiders',
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path }) =>
      BUNDLED.test(path) && !ABSENT.test(path) ? undefined : { path, external: true },
    );
  },
};

/**
 * Packages with native parts, WebAssembly or files beside their code stay where they are.
 * @param {import('esbuild').BuildOptions} options entry points, and where they come from and go to
 */
export async function bundle(options) {
  await build({
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    plugins: [outsiders],
    // What is left of CommonJS in them asks for modules of Node.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    logLevel: 'warning',
    ...options,
  });
}
