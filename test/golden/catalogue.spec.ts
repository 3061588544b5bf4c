import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkShape, eventShapes } from '../../src/event-catalogue.js';
import { eventDocs, eventLock, nameOf } from '../support/event-docs.js';
import { generatedLog } from '../support/generated-log.js';
import { LIVES, paymentEvents } from '../support/payment-events.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const DOCS = join(ROOT, 'docs', 'events');
const lock = eventLock(eventShapes);
const locked = JSON.parse(readFileSync(join(ROOT, 'test', 'golden', 'events.lock.json'), 'utf8')) as typeof lock;

/** `type: 'A'` followed by `schema: 1`, in types and in literals alike. */
const EVENT = /\btype: '(\w+)'[,;]\s*(?:readonly )?schema: (\d+)/g;

function eventsInSources(): string[] {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  const sources = files.filter((file) => /(?<!\.spec)\.ts$/.test(file) && !file.startsWith('generated'));
  const found = sources.flatMap((file) => [...readFileSync(join(ROOT, 'src', file), 'utf8').matchAll(EVENT)]);
  return [...new Set(found.map(([, type, schema]) => nameOf({ type: type!, schema: Number(schema) })))];
}

describe('the catalogue of events', () => {
  it('has every event that is written anywhere', () => {
    const found = eventsInSources();
    expect(found).toContain('PaymentAuthorized.v1');
    expect(found.filter((name) => !(name in lock))).toEqual([]);
  });

  it('is what docs/events shows: run `npm run events:docs`', () => {
    const docs = eventDocs(eventShapes);
    for (const [file, text] of docs) {
      expect([file, existsSync(join(DOCS, file)) && readFileSync(join(DOCS, file), 'utf8')]).toEqual([file, text]);
    }
    expect(readdirSync(DOCS).sort()).toEqual([...docs.keys()].sort());
  });

  it('only grows: a shape that is locked is never changed and never missing', () => {
    for (const [name, digest] of Object.entries(locked)) expect([name, lock[name]]).toEqual([name, digest]);
  });

  it('has every shape locked: run `npm run events:docs`', () => {
    expect(Object.keys(locked)).toEqual(Object.keys(lock));
  });

  it('is fitted by the events that tests are made of', () => {
    for (let n = 0; n < LIVES; n++) {
      const { events, stream } = paymentEvents(n);
      for (const { data, schema, type } of events) {
        expect(checkShape({ type, schema, stream, data: JSON.parse(JSON.stringify(data)) })).toBeUndefined();
      }
    }
    const problems = [...generatedLog({ payments: 200 })].flatMap(({ event, stream }) => {
      const problem = checkShape({ ...event, stream, data: JSON.parse(JSON.stringify(event.data)) });
      return problem === undefined ? [] : [problem];
    });
    expect(new Set(problems)).toEqual(new Set());
  });
});
