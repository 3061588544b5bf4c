import { jest } from '@jest/globals';
import type { Dispatcher } from 'undici';
import { Exchange } from './exchange.js';
import type { UpstreamAnswer, UpstreamFailure, UpstreamRequest } from './upstream.js';

const request: UpstreamRequest = {
  origin: 'http://upstream.example',
  allowPrivate: false,
  method: 'GET',
  path: '/',
  rawHeaders: [],
  passAuthorization: true,
  body: Buffer.alloc(0),
  requestId: 'req_1',
  stamp: { payment: 'pay_1', payer: '0x1', amount: '1', asset: 'a', timestamp: 1 },
  secret: 'secret',
  timeouts: { headers: 1000, bodyIdle: 1000, total: 1000 },
};

class Controller implements Dispatcher.DispatchController {
  aborted = false;
  paused = false;
  readonly reason = null;
  abort(): void {
    this.aborted = true;
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
}

describe('the total time of an exchange', () => {
  const chunk = Buffer.alloc(100_000);
  let controller: Controller;
  let settled: (UpstreamAnswer | UpstreamFailure)[];
  let exchange: Exchange;

  beforeEach(() => {
    jest.useFakeTimers();
    controller = new Controller();
    settled = [];
    exchange = new Exchange(request, (answer) => settled.push(answer));
    exchange.onRequestStart(controller);
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  it('ends an answer that never comes', () => {
    jest.advanceTimersByTime(1000);
    expect(settled).toEqual([{ kind: 'failed', failed: 'upstream_timeout', cause: undefined }]);
    expect(controller.aborted).toBe(true);
  });

  it('ends a stream that goes on for too long, however lively', async () => {
    exchange.onResponseStart(controller, 200, {});
    for (let second = 0; second < 4; second++) {
      jest.advanceTimersByTime(249);
      exchange.onResponseData(controller, Buffer.from('x'));
      expect(await exchange.next()).toEqual(Buffer.from('x'));
    }
    jest.advanceTimersByTime(4);
    expect(await exchange.next()).toMatchObject({ failed: 'upstream_timeout' });
  });

  it('does not count the time that a slow buyer takes', async () => {
    exchange.onResponseStart(controller, 200, {});
    jest.advanceTimersByTime(600);
    exchange.onResponseData(controller, chunk);
    expect(controller.paused).toBe(true);
    jest.advanceTimersByTime(60_000);
    expect(await exchange.next()).toBe(chunk);
    expect(controller.paused).toBe(false);
    jest.advanceTimersByTime(399);
    expect(controller.aborted).toBe(false);
    jest.advanceTimersByTime(1);
    expect(await exchange.next()).toMatchObject({ failed: 'upstream_timeout' });
  });

  it('leaves nothing running once the answer is complete', () => {
    exchange.onResponseStart(controller, 200, { 'content-length': '2' });
    exchange.onResponseData(controller, Buffer.from('o'));
    exchange.onResponseData(controller, Buffer.from('k'));
    expect(settled).toEqual([]);
    exchange.onResponseEnd(controller, {});
    expect(settled).toMatchObject([{ kind: 'whole', body: Buffer.from('ok') }]);
    expect(jest.getTimerCount()).toBe(0);
  });
});
