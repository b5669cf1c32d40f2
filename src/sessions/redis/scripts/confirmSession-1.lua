--[[
  Something came under the new resume token: the one before counts no more.
  PEXPIRE comes first, because it is allowed where Redis is full, and after it so is the rest of the script.
  KEYS[1] the session's row (hash)
  ARGV[1] fencing token
  ARGV[2] arrows
  ARGV[3] ttl of the row, ms
  ARGV[4] ttl of the row of a lost session at least, ms
  Output: 'changed', 'stale', 'unknown' or 'barred'
]]
-- include row
local row = readRow(KEYS[1])
local to, refusal = follow(row, ARGV[1], ARGV[2])
if not to then
  return refusal
end
redis.call('PEXPIRE', KEYS[1], row.state == 'lost' and string.format('%d', lostTtl(row, ARGV[4])) or ARGV[3])
redis.call('HSET', KEYS[1], 'previousTokenHash', '', 'overtaken', '')
return 'changed'
