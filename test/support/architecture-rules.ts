import { posix } from 'node:path';
import ts from 'typescript';

/** Source text by path relative to the repository, `src/base/shared/money.ts`. */
export type Sources = ReadonlyMap<string, string>;

const LINES_MAX = 300;
const BASE_FLOORS = ['shared', 'platform', 'event-store chain x402 embedded'];
const DOMAINS = 'access pricing customers limits metering payments settlement invoicing ledger receipts reports'.split(
  ' ',
);
const VIEM_CLIENT = /\bcreate(Public|Wallet|Test)?Client\b/;
const VIEM_HOMES = /^src\/(base\/(chain|embedded)|edges\/cli)\//;
const PRISMA_HOMES = /^src\/(base\/(platform|event-store)\/|.*\.(queries|projection)\.ts$)/;
/** A word of money right before `: number`, as in `maxAmount?: number`. Words after it (`amountDigits`) make it no money. */
const MONEY_AS_NUMBER = /\b(\w*(?:amount|price|balance|exposure))\??:\s*number\b/gi;

/** Every broken rule as one line `path: what is wrong`. Empty means that the house is in order. */
export function violations(sources: Sources): string[] {
  const imports = new Map([...sources].map(([path, text]) => [path, importsOf(path, text, sources)]));
  return [
    ...[...imports].flatMap(([path, targets]) => targets.flatMap((target) => arrowProblem(path, target))),
    ...cycles(imports).map((cycle) => `${cycle[0]}: import cycle ${cycle.join(' -> ')}`),
    ...[...sources].flatMap(([path, text]) => textProblems(path, text)),
  ];
}

/** Packages by name and own files by path; `import type` and dynamic imports count too. */
function importsOf(path: string, text: string, sources: Sources): string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => {
    if (!fileName.startsWith('.')) return fileName;
    const file = posix.join(posix.dirname(path), fileName);
    const source = file.replace(/\.js$/, '.ts');
    return sources.has(source) ? source : file;
  });
}

function arrowProblem(from: string, to: string): string[] {
  if (isPrisma(to) && !PRISMA_HOMES.test(from) && !isGenerated(from)) {
    return [`${from}: Prisma belongs to the platform, the event store, queries and projections`];
  }
  if (!to.startsWith('src/') || isGenerated(to) || isRoot(from)) return [];
  return mayImport(place(from), place(to)) ? [] : [`${from}: must not import ${to}`];
}

function isPrisma(target: string): boolean {
  return target.startsWith('@prisma/') || target.startsWith('src/generated/prisma');
}

function isGenerated(path: string): boolean {
  return path.startsWith('src/generated/');
}

/** Composition roots see everything, and so do tests. */
function isRoot(path: string): boolean {
  return /^src\/[^/]+\.ts$/.test(path) || path.startsWith('test/');
}

type Place = { readonly floor: 'base' | 'domains' | 'edges' | 'root'; readonly rank: number; readonly name: string };

function place(path: string): Place {
  const [, floor, name = ''] = path.split('/');
  if (floor === 'base') {
    return { floor, rank: BASE_FLOORS.findIndex((names) => names.split(' ').includes(name)), name };
  }
  if (floor === 'domains') return { floor, rank: DOMAINS.indexOf(name), name };
  if (floor === 'edges') return { floor, rank: 0, name };
  return { floor: 'root', rank: 0, name };
}

function mayImport(from: Place, to: Place): boolean {
  const floors = ['base', 'domains', 'edges', 'root'];
  if (from.rank < 0 || to.rank < 0) return false;
  if (from.floor !== to.floor) return floors.indexOf(to.floor) < floors.indexOf(from.floor);
  if (from.name === to.name || from.floor === 'edges') return true;
  // Neighbours on the upper floor of the base may know each other's types; cycles are caught apart.
  return from.floor === 'base' ? to.rank <= from.rank : to.rank < from.rank;
}

/** One cycle per strongly entangled set of files, found depth first. */
function cycles(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const state = new Map<string, 'open' | 'done'>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    if (state.get(path) === 'done' || !imports.has(path) || isGenerated(path)) return;
    if (state.get(path) === 'open') {
      found.push([...trail.slice(trail.indexOf(path)), path]);
      return;
    }
    state.set(path, 'open');
    trail.push(path);
    imports.get(path)!.forEach(visit);
    trail.pop();
    state.set(path, 'done');
  };
  [...imports.keys()].forEach(visit);
  return found;
}

function textProblems(path: string, text: string): string[] {
  if (isGenerated(path)) return [];
  const problems: string[] = [];
  const lines = text.trimEnd().split('\n').length;
  if (lines > LINES_MAX) problems.push(`${path}: ${lines} lines, ${LINES_MAX} at most`);
  if (/(^|\/)index\.ts$/.test(path)) problems.push(`${path}: no barrels`);
  if (!path.startsWith('src/')) return problems;
  if (/\bforwardRef\b/.test(text)) problems.push(`${path}: no forwardRef`);
  if (/from 'viem'/.test(text) && VIEM_CLIENT.test(text) && !VIEM_HOMES.test(path)) {
    problems.push(`${path}: viem clients belong to base/chain`);
  }
  for (const [, name] of text.matchAll(MONEY_AS_NUMBER)) problems.push(`${path}: ${name} is a number; money is bigint`);
  return problems;
}
