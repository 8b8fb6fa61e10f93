// What Socket.IO alone can do on this machine: answers at once with what a hub once answered, and does nothing else.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { serveTasks } from './child.ts';
import type { Samples } from './generator/cycles.ts';

let samples: Samples = {};

const http = createServer();
// The hub's own settings, where they bear on speed.
const io = new Server(http, { transports: ['websocket'], serveClient: false });
io.on('connection', (socket) => {
  socket.on('item.claim_next', (_input: unknown, ack: (answer: unknown) => void) => ack(samples.claim));
  socket.on('item.complete', (input: { claim_next?: boolean }, ack: (answer: unknown) => void) =>
    ack(input.claim_next ? samples.completeAndClaim : samples.complete),
  );
});

const tasks = {
  listen: (_: null): Promise<string> =>
    new Promise((resolve) => {
      http.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(http.address() as AddressInfo).port}`));
    }),
  answerWith: (given: Samples): void => {
    samples = { ...samples, ...given };
  },
};
export type EchoTasks = typeof tasks;

serveTasks(tasks);
