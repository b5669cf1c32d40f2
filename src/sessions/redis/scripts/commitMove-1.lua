--[[
  Make the worker that a session is moving to its own, with a new fencing token and what its engine settled on, and free
  what the old one had reserved. Sent again, it changes nothing. PEXPIRE comes first, because it is allowed where Redis is
  full, and after it so is the rest of the script.
  KEYS[1] the session's row (hash)
  ARGV[1] fencing token
  ARGV[2] arrows
  ARGV[3] session id
  ARGV[4] key of a worker's row without the id
  ARGV[5] ttl of the row, ms
  ARGV[6] bytes
  ARGV[7] model digest
  ARGV[8] epoch
  ARGV[9] terms, JSON
  Output: 'moved', 'stale', 'unknown', 'barred', 'workerGone', or 'full' when the bytes do not fit
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
if row.moveWorkerId == '' then
  return 'barred'
end
local workerKey = ARGV[4] .. row.moveWorkerId
local worker = redis.call('HMGET', workerKey, 'instance', 'reservedBytes', 'capacityBytes')
if worker[1] ~= row.moveWorkerInstance then
  return 'workerGone'
end
local more = tonumber(ARGV[6]) - tonumber(row.moveBytes)
if more > 0 and tonumber(worker[2]) + more > tonumber(worker[3]) then
  return 'full'
end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('HINCRBY', workerKey, 'reservedBytes', string.format('%d', more))
dismiss(ARGV[4] .. row.workerId, ARGV[3], row.deviceBytes)
redis.call('HSET', KEYS[1], 'state', to, 'token', token, 'movedToken', ARGV[1],
  'workerId', row.moveWorkerId, 'workerInstance', row.moveWorkerInstance,
  'bytes', ARGV[6], 'deviceBytes', ARGV[6], 'modelDigest', ARGV[7], 'epoch', ARGV[8], 'terms', ARGV[9],
  'moveWorkerId', '', 'moveWorkerInstance', '', 'moveBytes', '')
return 'moved'
