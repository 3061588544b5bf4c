import { NotFoundException } from '@nestjs/common';
import { ChainUnavailable } from '../base/chain/chain.js';
import { Problem } from '../base/shared/problem.js';
import { asProblem } from './problem.js';

/** A failed statement as Prisma reports it. */
function wrapped(sqlState: string): Error {
  const meta = { driverAdapterError: { cause: { originalCode: sqlState } } };
  return Object.assign(new Error('x'), { code: 'P2039', meta });
}

describe('what callers are told of an error', () => {
  it.each<[string, unknown, string, number]>([
    ['a problem stays itself', new Problem('route_not_found'), 'route_not_found', 404],
    ['a chain that cannot be asked', new ChainUnavailable('no answer'), 'chain_unavailable', 503],
    ['a database that is gone', Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 'store_unavailable', 503],
    ['a database that shuts down', Object.assign(new Error('x'), { code: '57P01' }), 'store_unavailable', 503],
    ['a query that took too long', Object.assign(new Error('x'), { code: '57014' }), 'store_unavailable', 503],
    ['a connection lost before', new Error('Client was closed and is not queryable'), 'store_unavailable', 503],
    ['a database that shuts down, through Prisma', wrapped('57P01'), 'store_unavailable', 503],
    ['a zero byte', Object.assign(new Error('x'), { code: '22021' }), 'invalid_request', 400],
    ['a zero byte, through Prisma', wrapped('22021'), 'invalid_request', 400],
    ['a constraint', Object.assign(new Error('x'), { code: '23505' }), 'internal_error', 500],
    ['what Nest throws', new NotFoundException(), 'not_found', 404],
    ['what Fastify throws', Object.assign(new Error('x'), { statusCode: 413 }), 'request_too_large', 413],
    ['other refusals', Object.assign(new Error('x'), { statusCode: 415 }), 'invalid_request', 400],
    ['everything else', new TypeError('x is not a function'), 'internal_error', 500],
  ])('%s', (_what, error, code, status) => {
    expect(asProblem(error)).toMatchObject({ code, status });
  });
});
