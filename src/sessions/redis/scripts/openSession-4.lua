--[[
  Reserve bytes on a worker and create the session's row with its first fencing token. The gateway is alive from then
  on, also if its lease had run out. Sent again, it changes nothing.
  KEYS[1] the worker's row (hash)
  KEYS[2] ids of the worker's sessions (set)
  KEYS[3] the session's row (hash)
  KEYS[4] the gateway's lease (string)
  ARGV[1] session id
  ARGV[2] instance of the worker
  ARGV[3] bytes
  ARGV[4] ttl of the session's row and of the set, ms
  ARGV[5] ttl of the gateway's lease, ms
  ARGV[6...] fields and values of the row
  Output: the token, 'full' or 'workerGone'
]]
-- include row
local row = readRow(KEYS[3])
if row then
  return row.state ~= 'lost' and row.workerInstance == ARGV[2] and tonumber(row.token) or 'workerGone'
end
local admitted = admit(KEYS[1], ARGV[2], ARGV[3])
if admitted ~= 'changed' then
  return admitted
end
local now = nowMs()
hearGateway(KEYS[4], ARGV[5])
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
redis.call('HSET', KEYS[3], 'state', 'opening', 'token', 1, 'epoch', 0, 'lastSeq', -1, 'deviceBytes', ARGV[3],
  'previousTokenHash', '', 'overtaken', '', 'movedToken', '', 'deadlineMs', '',
  'moveWorkerId', '', 'moveWorkerInstance', '', 'moveBytes', '', 'terms', '',
  'createdAtMs', now, 'touchedAtMs', now, unpack(ARGV, 6))
redis.call('PEXPIRE', KEYS[3], ARGV[4])
return 1
