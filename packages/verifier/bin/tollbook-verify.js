#!/usr/bin/env node
import { parseOptions, USAGE, UsageError } from '../src/options.js';
import { asJson, asLines, holds, printable } from '../src/report.js';
import { Unreadable } from '../src/strict-json.js';
import { verify } from '../src/verify.js';

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    console.log(USAGE);
  } else {
    const report = await verify(options);
    console.log(options.json ? asJson(report) : asLines(report));
    process.exitCode = holds(report) ? 0 : 1;
  }
} catch (error) {
  if (!(error instanceof UsageError || error instanceof Unreadable)) throw error;
  console.error(
    error instanceof UsageError ? `${error.message}\n\n${USAGE}` : printable(`Nothing was verified: ${error.message}`),
  );
  process.exitCode = 2;
}
