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
  Output: 'opened', 'full' or 'workerGone'
]]
local worker = redis.call('HMGET', KEYS[1], 'instance', 'draining', 'reservedBytes', 'capacityBytes')
if worker[1] == ARGV[2] and redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1 then
  return 'opened'
end
if worker[1] ~= ARGV[2] or worker[2] == '1' then
  return 'workerGone'
end
if tonumber(worker[3]) + tonumber(ARGV[3]) > tonumber(worker[4]) then
  return 'full'
end
local time = redis.call('TIME')
local nowMs = string.format('%d%03d', time[1], math.floor(time[2] / 1000))
redis.call('SET', KEYS[4], '', 'PX', ARGV[5])
redis.call('HINCRBY', KEYS[1], 'reservedBytes', ARGV[3])
redis.call('HINCRBY', KEYS[1], 'sessions', 1)
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
redis.call('HSET', KEYS[3], 'state', 'opening', 'token', 1, 'epoch', 0, 'lastSeq', -1,
  'createdAtMs', nowMs, 'touchedAtMs', nowMs, unpack(ARGV, 6))
redis.call('PEXPIRE', KEYS[3], ARGV[4])
return 'opened'
