import { publicAddresses } from './public-address.js';

describe('where buyers reach a tenant', () => {
  it.each([
    ['https://pay.example.com', '*', 'https://pay.example.com'],
    ['https://example.com/pay', '*', 'https://example.com/pay'],
    ['https://pay.example.com', 'left.example', 'https://left.example'],
    ['https://pay.example.com:443', 'left.example', 'https://left.example'],
    ['https://example.com/pay', 'left.example', 'https://left.example'],
    ['http://localhost:4020', 'left.localhost', 'http://left.localhost:4020'],
    ['http://[::1]:4020', '127.0.0.1', 'http://127.0.0.1:4020'],
  ])('with PUBLIC_URL %s and the host %s is %s', (publicUrl, host, address) => {
    expect(publicAddresses(publicUrl)({ host })).toBe(address);
  });
});
