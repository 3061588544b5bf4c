import { setTimeout as pause } from 'node:timers/promises';
import { DEMO_REPORT_BYTES } from '../../domains/pricing/demo-tenant.js';
import { type DemoHandler, jsonBody, sendJson } from './reply.js';

const SLOW_MS = 300;
const TOKEN_MS = 15;

const WEATHER = JSON.stringify({
  place: 'Utrecht',
  celsius: 14.5,
  wind: { from: 'SW', knots: 11 },
  sky: 'broken clouds',
});

export const weather: DemoHandler = ({ runId }, reply) => {
  sendJson(reply, 200, `{"runId":"${runId}",${WEATHER.slice(1)}`);
};

/** Lines enough to fill the size that the demo's tariff charges for. */
const REPORT = Array.from({ length: 400 }, (_, index) => {
  const hour = String(index).padStart(4, '0');
  const level = (120 + 25 * Math.sin(index / 6)).toFixed(1).padStart(6);
  return `hour ${hour}  water level ${level} cm  flow ${(index * 97) % 400} m3/s  gauge A  checked
`;
}).join('');

export const report: DemoHandler = ({ runId }, reply) => {
  const text = `run ${runId}
${REPORT}`.slice(0, DEMO_REPORT_BYTES);
  reply.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': text.length });
  reply.end(text);
};

export const query: DemoHandler = ({ runId, body }, reply) => {
  const statement = jsonBody(body).query;
  if (typeof statement !== 'string')
    return sendJson(reply, 400, `{"runId":"${runId}","error":"send {\\"query\\": text}"}`);
  const rows = [{ column: 1 }, { column: 2 }, { column: 3 }];
  sendJson(reply, 200, JSON.stringify({ runId, rows, scanned: statement.length }));
};

const ANSWER = [
  'Tolls',
  ' were',
  ' paid',
  ' at',
  ' bridges',
  ',',
  ' then',
  ' booths',
  ',',
  ' now',
  ' per',
  ' request',
  '.',
];

/** Server-sent events: the run, a dozen pieces of text with small pauses, the usage, the end. */
export const completions: DemoHandler = async ({ runId, body }, reply) => {
  const { prompt } = jsonBody(body);
  if (typeof prompt !== 'string')
    return sendJson(reply, 400, `{"runId":"${runId}","error":"send {\\"prompt\\": text}"}`);
  reply.writeHead(200, { 'Content-Type': 'text/event-stream' });
  reply.write(`data: ${JSON.stringify({ runId })}\n\n`);
  for (const text of ANSWER) {
    if (reply.destroyed) return;
    await pause(TOKEN_MS);
    reply.write(`data: ${JSON.stringify({ text })}\n\n`);
  }
  const usage = { promptTokens: prompt.split(/\s+/).length, completionTokens: ANSWER.length };
  reply.write(`data: ${JSON.stringify({ usage })}\n\n`);
  reply.end('data: [DONE]\n\n');
};

export const slow: DemoHandler = async ({ runId }, reply) => {
  await pause(SLOW_MS);
  sendJson(reply, 200, JSON.stringify({ runId, waitedMs: SLOW_MS }));
};
