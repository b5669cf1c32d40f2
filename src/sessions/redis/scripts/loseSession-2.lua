--[[
  Take a session from its worker, which could not keep it, and mark it as lost.
  PEXPIRE comes first, because it is allowed where Redis is full, and after it so is the rest of the script.
  KEYS[1] the session's row (hash)
  KEYS[2] ids of the lost sessions (set)
  ARGV[1] fencing token
  ARGV[2] arrows of a loss
  ARGV[3] session id
  ARGV[4] key of a worker's row without the id
  ARGV[5] ttl of the row of a lost session at least that a gateway holds, ms; of another it is the rest of its grace
  ARGV[6] ttl of the set, ms
  Output: 'changed', 'stale' or 'unknown'
]]
-- include row
local row = readRow(KEYS[1])
local to, refusal = follow(row, ARGV[1], ARGV[2])
if not to then
  return refusal
end
local ttlMs = lostTtl(row, ARGV[5])
redis.call('PEXPIRE', KEYS[1], string.format('%d', math.max(1, ttlMs)))
endMove(KEYS[1], row, ARGV[4], ARGV[3])
dismiss(ARGV[4] .. row.workerId, ARGV[3], row.deviceBytes)
if to == 'closed' or ttlMs <= 0 then
  redis.call('DEL', KEYS[1])
  return 'changed'
end
redis.call('HSET', KEYS[1], 'state', to, 'deviceBytes', 0)
redis.call('SADD', KEYS[2], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[6])
return 'changed'
