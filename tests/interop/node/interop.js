// gRPC's interoperability cases with @grpc/grpc-js: node interop.js PROTO_ROOT PORT CASE… says "ok CASE" or "FAILED CASE: why" for
// each. Whether an answer was compressed the library does not tell: that is read from the frames, with Node's own HTTP/2.
'use strict';
const assert = require('node:assert/strict');
const http2 = require('node:http2');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const [root, port, ...wanted] = process.argv.slice(2);
const target = `127.0.0.1:${port}`;
const definition = loader.loadSync('grpc/testing/test.proto', { includeDirs: [root, '/usr/include'], keepCase: true });
const { TestService } = grpc.loadPackageDefinition(definition).grpc.testing;
const methods = TestService.service;
const GZIP = 2;
const TIMEOUT_MS = 20000;
const NO_COMPRESS = 2;
// A message's flags go as the encoding of a write, which older streams refuse whatever they carry.
const hasFlags = Number(process.versions.node.split('.')[0]) >= 20;
const client = new TestService(target, grpc.credentials.createInsecure());
// A client of its own for each call: once the library has seen which encodings the server takes, written with blanks between, it
// takes them for others and sends no more gzip.
const compressing = () => new TestService(target, grpc.credentials.createInsecure(),
  { 'grpc.default_compression_algorithm': GZIP, 'grpc.use_local_subchannel_pool': 1 });

const REQUESTS = [27182, 8, 1828, 45904];
const RESPONSES = [31415, 9, 2653, 58979];
const payload = (size) => ({ body: Buffer.alloc(size) });
const options = (timeout = TIMEOUT_MS) => ({ deadline: Date.now() + timeout });
const large = (more = {}) => ({ response_size: 314159, payload: payload(271828), ...more });
const answers = (...sizes) => sizes.map((size) => ({ size }));

// Resolves to { reply, initial, status }, whatever the status is.
function unary(method, request, metadata = new grpc.Metadata(), through = client) {
  return new Promise((resolve) => {
    let reply, initial, error;
    const call = through[method](request, metadata, options(), (e, r) => { reply = r; error = e; });
    call.on('metadata', (m) => { initial = m; });
    call.on('status', (status) => setImmediate(() => resolve({ reply, initial, status, error })));
  });
}

// Everything that a stream of answers brings: { replies, initial, status }. `each` is called with every answer.
function read(call, each = () => {}) {
  return new Promise((resolve) => {
    const replies = [];
    let initial;
    call.on('metadata', (m) => { initial = m; });
    call.on('data', (reply) => { replies.push(reply); each(replies.length); });
    call.on('error', () => {});
    call.on('status', (status) => setImmediate(() => resolve({ replies, initial, status })));
  });
}

function checkPayload(got, size) {
  assert.ok(got.payload.body.equals(Buffer.alloc(size)), 'another payload than asked for');
}

// The compressed flag of each message that answers this request.
function flags(method, request) {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`http://${target}`);
    const body = methods[method].requestSerialize(request);
    const frame = Buffer.alloc(5 + body.length);
    frame.writeUInt32BE(body.length, 1);
    body.copy(frame, 5);
    const stream = session.request({ ':method': 'POST', ':path': methods[method].path, 'te': 'trailers',
      'content-type': 'application/grpc', 'grpc-accept-encoding': 'identity,gzip' });
    const chunks = [];
    session.on('error', reject);
    stream.on('error', reject).on('data', (chunk) => chunks.push(chunk)).on('end', () => {
      const found = [];
      session.close();
      for (let all = Buffer.concat(chunks); all.length; all = all.subarray(5 + all.readUInt32BE(1))) found.push(all[0] === 1);
      resolve(found);
    }).end(frame);
  });
}

function sum(through, messages) {
  return new Promise((resolve) => {
    let reply;
    const call = through.StreamingInputCall(new grpc.Metadata(), options(), (error, r) => { reply = r; });
    call.on('status', (status) => setImmediate(() => resolve({ reply, status })));
    call.on('error', () => {});
    for (const [message, flag] of messages) call.write(message, flag);
    call.end();
  });
}

async function unimplemented(path) {
  const status = await new Promise((resolve) => client.makeUnaryRequest(path, (b) => b, (b) => b, Buffer.alloc(0), options(),
    (error) => resolve(error)));
  assert.equal(status?.code, grpc.status.UNIMPLEMENTED);
}

function checkEcho({ initial, status }) {
  assert.deepEqual(initial.get('x-grpc-test-echo-initial'), ['test_initial_metadata_value']);
  assert.deepEqual(status.metadata.get('x-grpc-test-echo-trailing-bin'), [Buffer.from('ababab', 'hex')]);
}

const special = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n';
const cases = {
  async empty_unary() {
    const { status, reply } = await unary('EmptyCall', {});
    assert.equal(status.code, 0);
    assert.deepEqual({ ...reply }, {});
  },
  async large_unary() {
    checkPayload((await unary('UnaryCall', large())).reply, 314159);
  },
  async client_compressed_unary() {
    const expecting = large({ expect_compressed: { value: true } });
    assert.equal((await unary('UnaryCall', expecting)).status.code, grpc.status.INVALID_ARGUMENT);
    checkPayload((await unary('UnaryCall', expecting, new grpc.Metadata(), compressing())).reply, 314159);
    checkPayload((await unary('UnaryCall', large({ expect_compressed: { value: false } }))).reply, 314159);
  },
  async server_compressed_unary() {
    for (const value of [true, false]) {
      const request = large({ response_compressed: { value } });
      checkPayload((await unary('UnaryCall', request)).reply, 314159);
      assert.deepEqual(await flags('UnaryCall', request), [value]);
    }
  },
  async client_streaming() {
    const { reply } = await sum(client, REQUESTS.map((size) => [{ payload: payload(size) }]));
    assert.equal(reply.aggregated_payload_size, 74922);
  },
  async client_compressed_streaming() {
    const first = { payload: payload(27182), expect_compressed: { value: true } };
    const second = { payload: payload(45904), expect_compressed: { value: false } };
    assert.equal((await sum(client, [[first]])).status.code, grpc.status.INVALID_ARGUMENT);
    const { reply } = await sum(compressing(), [[first], [second, NO_COMPRESS]]);
    assert.equal(reply.aggregated_payload_size, 73086);
  },
  async server_streaming() {
    const { replies, status } = await read(client.StreamingOutputCall({ response_parameters: answers(...RESPONSES) }, options()));
    assert.equal(status.code, 0);
    assert.equal(replies.length, RESPONSES.length);
    RESPONSES.forEach((size, i) => checkPayload(replies[i], size));
  },
  async server_compressed_streaming() {
    const request = { response_parameters: [{ size: 31415, compressed: { value: true } },
      { size: 92653, compressed: { value: false } }] };
    const { replies } = await read(client.StreamingOutputCall(request, options()));
    [31415, 92653].forEach((size, i) => checkPayload(replies[i], size));
    assert.deepEqual(await flags('StreamingOutputCall', request), [true, false]);
  },
  async ping_pong() {
    const call = client.FullDuplexCall(options());
    const send = (i) => (i < REQUESTS.length
      ? call.write({ response_parameters: answers(RESPONSES[i]), payload: payload(REQUESTS[i]) }) : call.end());
    const all = read(call, send);
    send(0);
    const { replies, status } = await all;
    assert.equal(status.code, 0);
    assert.equal(replies.length, RESPONSES.length);
    RESPONSES.forEach((size, i) => checkPayload(replies[i], size));
  },
  async empty_stream() {
    const call = client.FullDuplexCall(options());
    call.end();
    const { replies, status } = await read(call);
    assert.equal(status.code, 0);
    assert.equal(replies.length, 0);
  },
  async custom_metadata() {
    const metadata = new grpc.Metadata();
    metadata.set('x-grpc-test-echo-initial', 'test_initial_metadata_value');
    metadata.set('x-grpc-test-echo-trailing-bin', Buffer.from('ababab', 'hex'));
    checkEcho(await unary('UnaryCall', large(), metadata));
    const call = client.FullDuplexCall(metadata, options());
    call.end({ response_parameters: answers(314159), payload: payload(271828) });
    checkEcho(await read(call));
  },
  async status_code_and_message() {
    const response_status = { code: 2, message: 'test status message' };
    const { status } = await unary('UnaryCall', { response_status });
    assert.deepEqual([status.code, status.details], [2, 'test status message']);
    const call = client.FullDuplexCall(options());
    call.end({ response_status });
    const ended = await read(call);
    assert.deepEqual([ended.status.code, ended.status.details], [2, 'test status message']);
  },
  async special_status_message() {
    const { status } = await unary('UnaryCall', { response_status: { code: 2, message: special } });
    assert.deepEqual([status.code, status.details], [2, special]);
  },
  unimplemented_method: () => unimplemented('/grpc.testing.TestService/UnimplementedCall'),
  unimplemented_service: () => unimplemented('/grpc.testing.UnimplementedService/UnimplementedCall'),
  async cancel_after_begin() {
    const error = await new Promise((resolve) => {
      const call = client.StreamingInputCall(new grpc.Metadata(), options(), resolve);
      setImmediate(() => call.cancel());
    });
    assert.equal(error?.code, grpc.status.CANCELLED);
  },
  async cancel_after_first_response() {
    const call = client.FullDuplexCall(options());
    call.write({ response_parameters: answers(31415), payload: payload(27182) });
    const { status, replies } = await read(call, () => call.cancel());
    assert.equal(replies.length, 1);
    assert.equal(status.code, grpc.status.CANCELLED);
  },
  async timeout_on_sleeping_server() {
    const call = client.FullDuplexCall(options(1));
    call.write({ payload: payload(27182) });
    assert.equal((await read(call)).status.code, grpc.status.DEADLINE_EXCEEDED);
  },
};

(async () => {
  for (const name of wanted) {
    if (name === 'client_compressed_streaming' && !hasFlags) {
      console.log(`skipped ${name}: needs Node 20, there is ${process.versions.node}`);
      continue;
    }
    try {
      await cases[name]();
      console.log(`ok ${name}`);
    } catch (error) {
      console.log(`FAILED ${name}: ${String(error.message).split('\n')[0]}`);
    }
  }
  process.exit(0);
})();
