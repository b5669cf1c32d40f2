--[[
  Write how far a session got. PEXPIRE comes first, because it is allowed where Redis is full, and after it so is the
  rest of the script.
  KEYS[1] the session's row (hash)
  ARGV[1] fencing token
  ARGV[2] arrows
  ARGV[3] epoch
  ARGV[4] last seq with an outcome
  ARGV[5] ttl of the row, ms
  Output: 'changed', 'stale', 'unknown' or 'barred'
]]
-- include row
local token, state, gatewayId = unpack(redis.call('HMGET', KEYS[1], 'token', 'state', 'gatewayId'))
local to, refusal = follow(token and { token = token, state = state, gatewayId = gatewayId }, ARGV[1], ARGV[2])
if not to then
  return refusal
end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('HSET', KEYS[1], 'epoch', ARGV[3], 'lastSeq', ARGV[4], 'touchedAtMs', nowMs())
return 'changed'
