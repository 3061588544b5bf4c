import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { rootOfPath } from '../../packages/verifier/src/merkle.js';
import { dataDigest } from '../../src/base/event-store/seals/leaf.js';
import { leafHash } from '../../src/base/event-store/seals/merkle.js';
import { readSeal, SignatureCheck } from '../../src/base/event-store/seals/seal.js';
import { LOGGER, POOL, SECRETS } from '../../src/base/platform/tokens.js';
import { canonicalJson } from '../../src/base/shared/json.js';
import type { EventProof, EventView } from '../../src/edges/admin/events.controller.js';
import { EventsController } from '../../src/edges/admin/events.controller.js';
import type { Page } from '../../src/edges/admin/paging.js';
import { ProblemFilter } from '../../src/edges/problem.js';
import { freePort } from '../support/ports.js';
import { openLog, type SealedLog, signer } from './support.js';

const ADMIN_KEY = 'admin-key-of-this-test';

let log: SealedLog;
let app: NestFastifyApplication;
let url: string;
let all: EventView[];

beforeAll(async () => {
  log = await openLog();
  await log.pay(0, 20);
  await log.seal();
  await log.pay(20, 22);

  @Module({
    controllers: [EventsController],
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
  url = `http://127.0.0.1:${port}/admin/v1/events`;
  await app.listen(port, '127.0.0.1');
  all = (await page('?limit=200')).data as EventView[];
});
afterAll(async () => {
  await app?.close();
  await log?.close();
});

function ask(path: string, key = ADMIN_KEY): Promise<Response> {
  return fetch(url + path, { headers: { authorization: `Bearer ${key}` } });
}

async function page(path: string): Promise<Page<EventView>> {
  const response = await ask(path);
  expect(response.status).toBe(200);
  return (await response.json()) as Page<EventView>;
}

async function positionsOf(query: string): Promise<string[]> {
  const found: string[] = [];
  for (let cursor = ''; ; ) {
    const { data, next_cursor: next } = await page(`?limit=3${query}${cursor}`);
    expect(data.length).toBeLessThanOrEqual(3);
    found.push(...data.map(({ position }) => position));
    if (next === undefined) return found;
    cursor = `&cursor=${next}`;
  }
}

const positions = (events: readonly EventView[]) => events.map(({ position }) => position);

describe('GET /admin/v1/events', () => {
  it('lists the log as it was written, a page at a time', async () => {
    const { rows } = await log.pool.query('select * from events order by position');
    expect(all).toEqual(
      rows.map(({ occurred_at, ...row }) => ({ ...row, occurred_at: (occurred_at as Date).toISOString() })),
    );
    expect(await positionsOf('')).toEqual(positions(all));
  });

  it('filters by stream, by one type or several, by tenant and by time', async () => {
    const some = all[17]!;
    const isType = (...types: string[]) => all.filter(({ type }) => types.includes(type));
    expect(await positionsOf(`&stream=${encodeURIComponent(some.stream)}`)).toEqual(
      positions(all.filter(({ stream }) => stream === some.stream)),
    );
    expect(await positionsOf('&type=PaymentSettled')).toEqual(positions(isType('PaymentSettled')));
    expect(await positionsOf('&type=PaymentSettled&type=DeliveryFailed')).toEqual(
      positions(isType('PaymentSettled', 'DeliveryFailed')),
    );
    expect(await positionsOf('&tenant=demo&type=PaymentAuthorized')).toEqual(positions(isType('PaymentAuthorized')));
    expect(await positionsOf('&tenant=nobody')).toEqual([]);
    const [from, to] = [all[10]!.occurred_at, all[30]!.occurred_at];
    expect(await positionsOf(`&from=${from}&to=${to}`)).toEqual(
      positions(all.filter(({ occurred_at: at }) => from <= at && at <= to)),
    );
    expect(await positionsOf('&from=2027-01-01T00:00:00Z')).toEqual([]);
    expect(await positionsOf('&to=2020-01-01T00:00:00%2B02:00')).toEqual([]);
  });

  it.each(['limit=0', 'limit=x', 'cursor=x', 'from=yesterday', 'to=1', 'type=%00', 'stream=%00', 'cursor=WyItMSJd'])(
    'refuses ?%s',
    async (query) => {
      const response = await ask(`?${query}`);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: 'invalid_request' });
    },
  );
});

describe('GET /admin/v1/events/{position}', () => {
  it('is one event', async () => {
    expect(await (await ask('/5')).json()).toEqual(all[4]);
  });

  it.each(['/0', '/-1', '/1e3', '/999999', '/99999999999999999999999', '/x', '/x/proof', '/999999/proof'])(
    'is not found at %s',
    async (path) => {
      const response = await ask(path);
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ code: 'not_found' });
    },
  );

  it.each(['', '/1', '/1/proof'])('needs the admin key: %s', async (path) => {
    expect((await ask(path, 'another')).status).toBe(401);
  });
});

describe('GET /admin/v1/events/{position}/proof', () => {
  it('shows that the event has its place under a signed seal', async () => {
    for (const { data, position } of all.slice(0, 20)) {
      const document = (await (await ask(`/${position}/proof`)).json()) as EventProof;
      const { header, leafIndex, path, seal, treeSize } = document.proof;
      expect(document.data).toEqual(data);
      expect(header).toMatchObject({ position, digest: dataDigest(data) });
      const jws = document.seals[seal]!;
      expect(new SignatureCheck(signer.jwks()).isSigned(jws)).toBe(true);
      const hashes = path.map((hash) => Buffer.from(hash, 'base64url'));
      const root = rootOfPath(leafHash(canonicalJson({ ...header })), leafIndex, treeSize, hashes);
      expect(root?.toString('base64url')).toBe(readSeal(jws)!.payload.root);
    }
  });

  it('is not there yet for an event that is not sealed', async () => {
    const response = await ask(`/${all.at(-1)!.position}/proof`);
    expect(response.status).toBe(409);
    expect(response.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(await response.json()).toMatchObject({ code: 'event_not_sealed' });
  });

  it('is refused for an event that is not the one that was sealed', async () => {
    const client = await log.pool.connect();
    await client.query(
      "begin; set local session_replication_role = replica; update events set tenant = 'x' where position = 3; commit",
    );
    client.release();
    const response = await ask('/3/proof');
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ code: 'event_altered' });
  });
});
