--[[
  Make the worker that a session is moving to its own, with a new fencing token, and free what the old one had reserved.
  Sent again, it changes nothing. PEXPIRE comes first, because it is allowed where Redis is full, and after it so is the
  rest of the script.
  KEYS[1] the session's row (hash)
  ARGV[1] fencing token
  ARGV[2] arrows
  ARGV[3] session id
  ARGV[4] key of a worker's row without the id
  ARGV[5] ttl of the row, ms
  Output: 'moved', 'stale', 'unknown', 'barred' or 'workerGone'
]]
-- include row
local row = readRow(KEYS[1])
local token = tonumber(ARGV[1]) + 1
if row and tonumber(row.token) == token and row.movedToken == ARGV[1] then
  return 'moved'
end
local to, refusal = follow(row, ARGV[1], ARGV[2])
if not to then
  return refusal
end
if redis.call('HGET', ARGV[4] .. row.moveWorkerId, 'instance') ~= row.moveWorkerInstance then
  return 'workerGone'
end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
dismiss(ARGV[4] .. row.workerId, ARGV[3], row.deviceBytes)
redis.call('HSET', KEYS[1], 'state', to, 'token', token, 'movedToken', ARGV[1],
  'workerId', row.moveWorkerId, 'workerInstance', row.moveWorkerInstance,
  'bytes', row.moveBytes, 'deviceBytes', row.moveBytes, 'moveWorkerId', '', 'moveWorkerInstance', '', 'moveBytes', '')
return 'moved'
