--[[
  Note that the gateway has left a session, so that its worker closes it. PEXPIRE comes first, because it is allowed
  where Redis is full, and after it so is the rest of the script.
  KEYS[1] the session's row (hash)
  ARGV[1] fencing token
  ARGV[2] ttl of the row, ms
  Output: 'changed', 'stale' or 'unknown'
]]
local row = redis.call('HMGET', KEYS[1], 'token', 'state')
if not row[1] or row[2] == 'lost' then
  return 'unknown'
end
if row[1] ~= ARGV[1] then
  return 'stale'
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('HSET', KEYS[1], 'left', 1)
return 'changed'
