/**
 * What was found in one document.
 *
 * @typedef {object} Result
 * @property {import('./check.js').Check[]} checks
 * @property {string} summary what was looked at
 * @property {import('./seal.js').Seal[]} seals those that hold
 * @property {import('./seal-chain.js').Restoration} [restoration] that the document proves
 */

/**
 * @typedef {object} Report
 * @property {import('./check.js').Check[]} checks
 * @property {string[]} summaries what was looked at
 */

/** @param {{ checks: import('./check.js').Check[] }} found */
export function holds({ checks }) {
  return checks.every(({ ok }) => ok);
}

/**
 * @param {Report} report
 * @returns {string}
 */
export function asLines(report) {
  const width = Math.max(...report.checks.map(({ name }) => name.length));
  const failed = report.checks.filter(({ ok }) => !ok).length;
  const lines = report.checks.map(({ name, ok, detail }) => `${ok ? '✓' : '✗'} ${name.padEnd(width)}  ${detail}`);
  const verdict = failed === 0 ? report.summaries : [`NOT VERIFIED: ${failed} of ${lines.length} checks failed`];
  return [...lines, ...verdict].map(printable).join('\n');
}

/** @param {Report} report */
export function asJson(report) {
  const { checks, summaries } = report;
  return JSON.stringify({ verified: holds(report), checks, summaries: holds(report) ? summaries : [] }, null, 2);
}

/**
 * What a file says must not steer the terminal that shows it.
 *
 * @param {string} text one line
 */
export function printable(text) {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{fffd}');
}
