import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { checkConsistency } from '../../packages/verifier/src/consistency.js';
import { keysFrom } from '../../packages/verifier/src/keys.js';
import type { SealConsistency } from '../../src/base/event-store/seals/proof.js';
import { readSeals } from '../../src/base/event-store/seals/seal-table.js';
import { LOGGER, POOL, SECRETS } from '../../src/base/platform/tokens.js';
import type { Page } from '../../src/edges/admin/paging.js';
import { SealsController, type SealView } from '../../src/edges/admin/seals.controller.js';
import { ProblemFilter } from '../../src/edges/problem.js';
import { freePort } from '../support/ports.js';
import { openLog, type SealedLog, signer } from './support.js';

const ADMIN_KEY = 'admin-key-of-this-test';
const SEALS = 9;
const keys = keysFrom(signer.jwks() as never);

let log: SealedLog;
let app: NestFastifyApplication;
let url: string;

/** A log of nine seals, one a payment. */
async function sealedLog(firstPayment: number): Promise<SealedLog> {
  const made = await openLog();
  for (let n = 0; n < SEALS; n++) {
    await made.pay(firstPayment + n, firstPayment + n + 1);
    await made.seal();
  }
  return made;
}

beforeAll(async () => {
  log = await sealedLog(0);

  @Module({
    controllers: [SealsController],
    providers: [
      { provide: POOL, useValue: log.pool },
      { provide: SECRETS, useValue: { adminKey: ADMIN_KEY } },
      { provide: LOGGER, useValue: log.parts.log },
      ProblemFilter,
    ],
  })
  class TestModule {}

  app = await NestFactory.create<NestFastifyApplication>(TestModule, new FastifyAdapter(), { logger: false });
  app.useGlobalFilters(app.get(ProblemFilter));
  const port = await freePort();
  url = `http://127.0.0.1:${port}/admin/v1/seals`;
  await app.listen(port, '127.0.0.1');
});
afterAll(async () => {
  await app?.close();
  await log?.close();
});

function ask(path: string, key = ADMIN_KEY): Promise<Response> {
  return fetch(url + path, { headers: { authorization: `Bearer ${key}` } });
}

async function proofOf(first: number, second: number): Promise<SealConsistency> {
  const response = await ask(`/consistency?first=${first}&second=${second}`);
  expect(response.status).toBe(200);
  return (await response.json()) as SealConsistency;
}

const failures = (document: object) =>
  checkConsistency(document as never, keys).checks.flatMap(({ name, ok }) => (ok ? [] : [name]));

/** Every document that differs in one hash of one path. */
function bent(document: SealConsistency): SealConsistency[] {
  return (['inclusion', 'consistency'] as const).flatMap((name) =>
    document[name].map((hash, index) => {
      const other = Buffer.from(hash, 'base64url');
      other[index % 32]! ^= 1;
      return { ...document, [name]: document[name].with(index, other.toString('base64url')) };
    }),
  );
}

describe('GET /admin/v1/seals', () => {
  it('lists what was signed, a page at a time', async () => {
    const rows = await readSeals(log.pool, 1, 100);
    const found: SealView[] = [];
    for (let cursor = ''; ; ) {
      const { data, next_cursor: next } = (await (await ask(`?limit=4${cursor}`)).json()) as Page<SealView>;
      found.push(...data);
      if (next === undefined) break;
      cursor = `&cursor=${next}`;
    }
    expect(found.map(({ jws, number }) => ({ jws, number }))).toEqual(rows.map(({ jws, number }) => ({ jws, number })));
    expect(found.map(({ to }) => to)).toEqual(rows.map(({ to }) => `${to}`));
  });

  it.each(['?limit=0', '?cursor=x', '?number=1', '/consistency', '/consistency?first=2&second=2'])(
    'refuses %s',
    async (query) => {
      const response = await ask(query);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: 'invalid_request' });
    },
  );

  it('needs the admin key', async () => {
    for (const path of ['', '/consistency?first=1&second=2']) expect((await ask(path, 'another')).status).toBe(401);
  });
});

describe('the proof between two seals', () => {
  it('holds for any two, and for nothing else', async () => {
    for (let second = 2; second <= SEALS; second++) {
      for (let first = 1; first < second; first++) {
        const document = await proofOf(first, second);
        expect(failures(document)).toEqual([]);
        for (const other of bent(document)) expect(failures(other)).toHaveLength(1);
        expect(failures({ ...document, first: document.second, second: document.first })).toContain('inclusion');
        expect(failures({ ...document, note: 'unchecked' })).toEqual(['document']);
      }
    }
  });

  it('fails for a seal of another log, though we signed it under the same number', async () => {
    const fork = await sealedLog(100);
    try {
      const kept = (await readSeals(fork.pool, 4, 1))[0]!.jws;
      expect(failures({ ...(await proofOf(4, 7)), first: kept })).toEqual(['inclusion', 'consistency']);
    } finally {
      await fork.close();
    }
  });

  it('is not found for a seal that is not there yet', async () => {
    const response = await ask(`/consistency?first=1&second=${SEALS + 1}`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'not_found' });
  });
});
