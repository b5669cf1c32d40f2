--[[
  Write what the engine settled on, and make the reservation as large as that.
  KEYS[1] the session's row (hash)
  ARGV[1] fencing token
  ARGV[2] arrows
  ARGV[3] key of a worker's row without the id
  ARGV[4] bytes
  ARGV[5] model digest
  ARGV[6] epoch
  ARGV[7] terms, JSON
  Output: 'changed', 'stale', 'unknown', 'barred', or 'full' when the bytes do not fit
]]
-- include row
local row = readRow(KEYS[1])
local to, refusal = follow(row, ARGV[1], ARGV[2])
if not to then
  return refusal
end
local workerKey = ARGV[3] .. row.workerId
local worker = redis.call('HMGET', workerKey, 'reservedBytes', 'capacityBytes')
if not worker[1] then
  return 'unknown'
end
local more = tonumber(ARGV[4]) - tonumber(row.deviceBytes)
if more > 0 and tonumber(worker[1]) + more > tonumber(worker[2]) then
  return 'full'
end
redis.call('HINCRBY', workerKey, 'reservedBytes', string.format('%d', more))
redis.call('HSET', KEYS[1], 'state', to, 'bytes', ARGV[4], 'deviceBytes', ARGV[4], 'modelDigest', ARGV[5],
  'epoch', ARGV[6], 'terms', ARGV[7], 'touchedAtMs', nowMs())
return 'changed'
