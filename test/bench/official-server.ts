/** The peer: the official Express middleware as its README sets it up, in front of a handler with the demo's answer. */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { HTTPFacilitatorClient } from '@x402/core/server';
import { ExactEvmScheme } from '@x402/evm/exact/server';
import { paymentMiddleware, x402ResourceServer } from '@x402/express';
import express from 'express';
import { listen } from './serve.js';

const facilitator = new HTTPFacilitatorClient({ url: process.argv[2]! });
const resourceServer = new x402ResourceServer(facilitator).register('eip155:84532', new ExactEvmScheme());
const app = express();
const WEATHER = { place: 'Utrecht', celsius: 14.5, wind: { from: 'SW', knots: 11 }, sky: 'broken clouds' };

app.use(
  paymentMiddleware(
    {
      'GET /demo/weather': {
        accepts: {
          scheme: 'exact',
          price: '$0.001',
          network: 'eip155:84532',
          payTo: '0x00000000000000000000000000000000000000fe',
        },
        description: 'The weather, at a flat price',
        mimeType: 'application/json',
      },
    },
    resourceServer,
  ),
);

app.get('/demo/weather', (_request, response) => {
  response.json({ runId: randomBytes(8).toString('hex'), ...WEATHER });
});

await listen(createServer(app));
