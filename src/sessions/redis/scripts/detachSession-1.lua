--[[
  No gateway holds the session any more: its grace begins. Sent again, it does not begin again.
  PEXPIRE comes first, because it is allowed where Redis is full, and after it so is the rest of the script.
  KEYS[1] the session's row (hash)
  ARGV[1] fencing token
  ARGV[2] arrows
  ARGV[3] ttl of the row, ms
  Output: 'changed', 'stale', 'unknown' or 'barred'
]]
-- include row
local row = readRow(KEYS[1])
local to, refusal = follow(row, ARGV[1], ARGV[2], '')
if not to then
  return refusal
end
if row.gatewayId == '' then
  return 'changed'
end
-- What is lost has no worker to end it when its grace is over.
redis.call('PEXPIRE', KEYS[1], row.state == 'lost' and row.graceMs or ARGV[3])
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HSET', KEYS[1], 'state', to, 'gatewayId', '',
    'deadlineMs', string.format('%d', tonumber(nowMs()) + tonumber(row.graceMs)))
end
return 'changed'
