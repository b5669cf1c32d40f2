--[[
  Reserve bytes for a parked session on its worker again. Sent again, it changes nothing. PEXPIRE comes first, because it
  is allowed where Redis is full, and after it so is the rest of the script.
  KEYS[1] the session's row (hash)
  ARGV[1] fencing token
  ARGV[2] arrows
  ARGV[3] key of a worker's row without the id
  ARGV[4] ttl of the row, ms
  ARGV[5] bytes
  Output: 'changed', 'stale', 'unknown', 'barred', 'full' or 'workerGone'
]]
-- include row
local row = readRow(KEYS[1])
local to, refusal = follow(row, ARGV[1], ARGV[2])
if not to then
  return refusal
end
if row.state ~= 'parked' then
  return 'changed'
end
local workerKey = ARGV[3] .. row.workerId
local worker = redis.call('HMGET', workerKey, 'instance', 'reservedBytes', 'capacityBytes')
if worker[1] ~= row.workerInstance then
  return 'workerGone'
end
if tonumber(worker[2]) + tonumber(ARGV[5]) > tonumber(worker[3]) then
  return 'full'
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('HINCRBY', workerKey, 'reservedBytes', ARGV[5])
redis.call('HSET', KEYS[1], 'state', to, 'bytes', ARGV[5], 'deviceBytes', ARGV[5], 'touchedAtMs', nowMs())
return 'changed'
