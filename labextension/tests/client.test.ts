import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { Client } from '../src/client';
import { Socket, backoff } from '../src/socket';
import { Store } from '../src/store';
import { RUN, corrected } from './journals';
import { TestServer, until } from './server';

let server: TestServer;

beforeEach(async () => {
  server = new TestServer();
  await server.start();
});

afterEach(() => server.stop());

/** What the calls of a refresh find in one answer. */
const REFRESHED = '{"active": null, "engines": [], "modes": ["ask"], "mode": "ask"}';

test('calls go below the base URL, with their names escaped', async () => {
  const client = new Client(server.settings);
  server.answer = { status: 201, body: JSON.stringify({ run: RUN }) };
  assert.equal(await client.startRun({ question: 'q', notebook: 'a b.ipynb' }), RUN);
  server.answer = { status: 202, body: '{}' };
  await client.pull('a/b');
  server.answer = { status: 200, body: '{"questions": ["why?"]}' };
  assert.deepEqual(await client.suggestions('a b.ipynb'), ['why?']);
  assert.deepEqual(
    server.calls.map(({ method, path }) => [method, path.replace(/[?&]\d{13}$/, '')]),
    [
      ['POST', '/hub/user/datarus/api/runs'],
      ['POST', '/hub/user/datarus/api/models/a%2Fb/pull'],
      ['GET', '/hub/user/datarus/api/suggestions?notebook=a%20b.ipynb']
    ]
  );
  assert.deepEqual(server.calls[0].body, { question: 'q', notebook: 'a b.ipynb' });
});

test("the server's own sentence becomes the error", async () => {
  server.answer = { status: 409, body: '{"message": "A run is under way: stop it first."}' };
  await assert.rejects(
    new Client(server.settings).stop(RUN),
    /A run is under way: stop it first\./
  );
});

test('an answer that is no JSON becomes a sentence that says what to do', async () => {
  server.answer = { status: 404, body: '<html>' };
  await assert.rejects(new Client(server.settings).models(), /jupyter server extension enable/);
});

test('a server that is gone becomes a sentence that says what to do', async () => {
  const { settings } = server;
  await server.stop();
  await assert.rejects(new Client(settings).models(), /does not answer/);
});

test('the wait between attempts doubles up to a bound', () => {
  assert.deepEqual(
    [0, 1, 2, 10].map(attempt => backoff(attempt, 1)),
    [250, 500, 1000, 15000]
  );
  assert.equal(backoff(0, 0), 125);
});

test('a lost socket comes back under its name and asks for what it lacks', async () => {
  server.answer = { status: 200, body: REFRESHED };
  const store = new Store(new Client(server.settings), new Socket(server.settings));
  try {
    const conversation = store.open('a.ipynb');
    await until(() => server.frames.length === 1, 'the first open');
    assert.deepEqual(server.frames[0], { kind: 'open', notebook: 'a.ipynb', since: {} });

    server.send({ kind: 'lease', notebook: 'a.ipynb', writer: true });
    server.send({ kind: 'events', notebook: 'a.ipynb', events: corrected.slice(0, 5) });
    server.send({ kind: 'caught_up', notebook: 'a.ipynb' });
    await until(() => conversation.caughtUp && conversation.writer, 'the catch-up');

    server.sockets[0].terminate();
    await until(() => server.frames.length === 2, 'the second open');
    assert.deepEqual(server.frames[1], { kind: 'open', notebook: 'a.ipynb', since: { [RUN]: 5 } });
    assert.deepEqual([conversation.caughtUp, conversation.writer], [false, false]);

    // Overlap is harmless: seqs that are here already change nothing.
    server.send({ kind: 'events', notebook: 'a.ipynb', events: corrected.slice(3) });
    await until(() => conversation.run(RUN)?.state === 'finished', 'the rest');
    assert.equal(conversation.run(RUN)?.steps[0].code, 'print(x)');
  } finally {
    store.dispose();
  }
});

test('the modes that the server allows cap what the user has chosen', async () => {
  server.answer = { status: 200, body: REFRESHED };
  const store = new Store(new Client(server.settings), new Socket(server.settings));
  try {
    assert.equal(store.state.mode, 'ask_if_risky');
    await until(() => store.state.allowed.modes.length === 1, 'the modes');
    assert.equal(store.state.mode, 'ask');
    store.set({ mode: 'auto' });
    assert.equal(store.state.mode, 'ask');
  } finally {
    store.dispose();
  }
});

test('frames about the engine and the models reach the state', async () => {
  server.answer = { status: 200, body: REFRESHED };
  const store = new Store(new Client(server.settings), new Socket(server.settings));
  try {
    await until(() => store.state.connected, 'the connection');
    const model = { name: 'm', title: 'M', licence: 'MIT', bytes: 10, received: 5 };
    server.send({ kind: 'model', model: { ...model, state: 'pulling' } });
    server.send({ kind: 'model', model: { ...model, received: 10, state: 'present' } });
    server.send({ kind: 'error', message: 'Say it again.' });
    await until(() => store.state.error === 'Say it again.', 'the error');
    assert.deepEqual(store.state.models, [{ ...model, received: 10, state: 'present' }]);
  } finally {
    store.dispose();
  }
});

test('disposing twice is harmless and ends the reconnecting', async () => {
  const socket = new Socket(server.settings);
  await until(() => socket.connected, 'the connection');
  socket.dispose();
  socket.dispose();
  await until(() => server.sockets[0].readyState === 3, 'the end of the socket');
  assert.equal(server.sockets.length, 1);
});
