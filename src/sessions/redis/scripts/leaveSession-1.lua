--[[
  Note that a session ends: its worker closes it, and nobody takes it meanwhile. A lost one has no worker and is removed.
  PEXPIRE comes first, because it is allowed where Redis is full, and after it so is the rest of the script.
  KEYS[1] the session's row (hash)
  ARGV[1] fencing token
  ARGV[2] arrows
  ARGV[3] session id
  ARGV[4] key of a worker's row without the id
  ARGV[5] ttl of the row, ms
  ARGV[6] for how long its old worker is told that it is over, ms
  Output: 'changed', 'stale', 'unknown' or 'barred'
]]
-- include row
local row = readRow(KEYS[1])
local to, refusal = follow(row, ARGV[1], ARGV[2])
if not to then
  return refusal
end
if to == 'closed' then
  redis.call('DEL', KEYS[1])
  redis.call('SET', KEYS[1] .. ':over', '', 'PX', ARGV[6])
  return 'changed'
end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
endMove(KEYS[1], row, ARGV[4], ARGV[3])
redis.call('HSET', KEYS[1], 'state', to)
return 'changed'
