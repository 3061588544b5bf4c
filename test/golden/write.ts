/** `npm run events:docs`: writes docs/events, and locks the shapes that are new. Fails if one that is locked changed. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventShapes } from '../../src/event-catalogue.js';
import { eventDocs, eventLock } from '../support/event-docs.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const DOCS = join(ROOT, 'docs', 'events');
const LOCK = join(ROOT, 'test', 'golden', 'events.lock.json');

const locked = JSON.parse(readFileSync(LOCK, 'utf8')) as Record<string, string>;
const lock = eventLock(eventShapes);
const changed = Object.keys(locked).filter((name) => lock[name] !== locked[name]);
if (changed.length > 0) {
  console.error(`Stored shapes never change, but these did: ${changed.join(', ')}. Make a new schema version instead.`);
  process.exit(1);
}
mkdirSync(DOCS, { recursive: true });
for (const [file, text] of eventDocs(eventShapes)) writeFileSync(join(DOCS, file), text);
writeFileSync(LOCK, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${eventShapes.length} shapes documented, ${Object.keys(lock).length - Object.keys(locked).length} new`);
