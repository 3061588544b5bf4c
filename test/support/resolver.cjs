/** What a module imports from one of the bundled packages (packages.mjs) comes from its bundle; `require` takes the package itself. */
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const found = new Map();

module.exports = (request, options) =>
  bundleOf(request, options.conditions) ?? options.defaultResolver(request, options);

function bundleOf(request, conditions) {
  const folder = process.env.TOLLBOOK_TEST_PACKAGES;
  if (folder === undefined || !conditions?.includes('import') || !/^[@a-z]/.test(request)) return undefined;
  if (!found.has(request)) {
    const file = join(folder, `${request}.mjs`);
    found.set(request, existsSync(file) ? file : undefined);
  }
  return found.get(request);
}
