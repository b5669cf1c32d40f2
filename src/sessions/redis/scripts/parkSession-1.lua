--[[
  Give the bytes of a session back to its worker, which keeps it outside device memory. Sent again, it changes nothing.
  PEXPIRE comes first, because it is allowed where Redis is full, and after it so is the rest of the script.
  KEYS[1] the session's row (hash)
  ARGV[1] fencing token
  ARGV[2] arrows
  ARGV[3] key of a worker's row without the id
  ARGV[4] ttl of the row, ms
  Output: 'changed', 'stale', 'unknown' or 'barred'
]]
-- include row
local row = readRow(KEYS[1])
local to, refusal = follow(row, ARGV[1], ARGV[2])
if not to then
  return refusal
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
local workerKey = ARGV[3] .. row.workerId
if redis.call('EXISTS', workerKey) == 1 then
  redis.call('HINCRBY', workerKey, 'reservedBytes', string.format('%d', -tonumber(row.deviceBytes)))
end
redis.call('HSET', KEYS[1], 'state', to, 'deviceBytes', 0)
return 'changed'
