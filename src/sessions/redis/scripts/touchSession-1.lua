--[[
  Write how far a session got. PEXPIRE comes first, because it is allowed where Redis is full, and after it so is the
  rest of the script.
  KEYS[1] the session's row (hash)
  ARGV[1] fencing token
  ARGV[2] epoch
  ARGV[3] last seq with an outcome
  ARGV[4] ttl of the row, ms
  Output: 'changed', 'stale' or 'unknown'
]]
local row = redis.call('HMGET', KEYS[1], 'token', 'state')
if not row[1] or row[2] == 'lost' then
  return 'unknown'
end
if row[1] ~= ARGV[1] then
  return 'stale'
end
local time = redis.call('TIME')
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('HSET', KEYS[1], 'epoch', ARGV[2], 'lastSeq', ARGV[3],
  'touchedAtMs', string.format('%d%03d', time[1], math.floor(time[2] / 1000)))
return 'changed'
