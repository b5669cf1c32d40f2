--[[
  Something came under the new resume token: the one before counts no more.
  PEXPIRE comes first, because it is allowed where Redis is full, and after it so is the rest of the script.
  KEYS[1] the session's row (hash)
  ARGV[1] fencing token
  ARGV[2] arrows
  ARGV[3] ttl of the row, ms
  Output: 'changed', 'stale', 'unknown' or 'barred'
]]
-- include row
local row = readRow(KEYS[1])
local to, refusal = follow(row, ARGV[1], ARGV[2])
if not to then
  return refusal
end
-- What is lost and held by nobody ends with its grace.
if row.state ~= 'lost' or row.gatewayId ~= '' then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
redis.call('HSET', KEYS[1], 'previousTokenHash', '', 'overtaken', '')
return 'changed'
