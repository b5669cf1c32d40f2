--[[
  Write what the engine settled on, and make the reservation as large as that.
  KEYS[1] the session's row (hash)
  ARGV[1] fencing token
  ARGV[2] key of a worker's row without the id
  ARGV[3] bytes
  ARGV[4] model digest
  ARGV[5] epoch
  Output: 'changed', 'stale', 'unknown', or 'full' when the bytes do not fit
]]
local row = redis.call('HMGET', KEYS[1], 'token', 'state', 'workerId', 'bytes')
if not row[1] or row[2] == 'lost' then
  return 'unknown'
end
if row[1] ~= ARGV[1] then
  return 'stale'
end
local workerKey = ARGV[2] .. row[3]
local worker = redis.call('HMGET', workerKey, 'reservedBytes', 'capacityBytes')
if not worker[1] then
  return 'unknown'
end
local more = tonumber(ARGV[3]) - tonumber(row[4])
if tonumber(worker[1]) + more > tonumber(worker[2]) then
  return 'full'
end
local time = redis.call('TIME')
redis.call('HINCRBY', workerKey, 'reservedBytes', string.format('%d', more))
redis.call('HSET', KEYS[1], 'state', 'open', 'bytes', ARGV[3], 'modelDigest', ARGV[4], 'epoch', ARGV[5],
  'touchedAtMs', string.format('%d%03d', time[1], math.floor(time[2] / 1000)))
return 'changed'
