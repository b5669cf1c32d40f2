/** What a server may be called, and where its stream is then. */
export const addressVectors = [
  ['ws://host:1', 'ws://host:1/v1/stream'],
  ['http://host:1/', 'ws://host:1/v1/stream'],
  ['https://host/depth/v1/stream?a=b', 'wss://host/depth/v1/stream?a=b'],
  ['https://host/depth/', 'wss://host/depth/v1/stream'],
  ['wss://host/depth?a=b', 'wss://host/depth/v1/stream?a=b'],
  ['127.0.0.1:8042', 'ws://127.0.0.1:8042/v1/stream'],
  ['localhost:8042', 'ws://localhost:8042/v1/stream'],
  ['localhost:8042/depth/v1/stream?a=b', 'ws://localhost:8042/depth/v1/stream?a=b'],
  ['[::1]:8042', 'ws://[::1]:8042/v1/stream'],
  ['[::1]', 'ws://[::1]/v1/stream'],
  ['example.com', 'ws://example.com/v1/stream'],
  ['ws', 'ws://ws/v1/stream']
].map(([address, stream]) => ({ address, stream }))

/** What is none. */
export const badAddresses = [
  ...['', ' ', ':8042', '/v1/stream', '//host', '::1', 'ftp://host', 'mailto:someone', 'javascript:alert(1)'],
  ...['host:', 'host:port', 'host:99999', 'user@host', 'a host', 'ws://', 'http:host', 'C:\\depth']
].map((address) => ({ address }))
