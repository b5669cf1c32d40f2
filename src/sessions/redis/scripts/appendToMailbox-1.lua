--[[
  Append commands to a session's mailbox, creating it if no turn holds it open. A command that it has already is left
  out, so that the whole may be sent again.
  KEYS[1] mailbox (stream)
  ARGV[1] ttl of a new mailbox, ms
  ARGV[2...] for each command: id, head, body
  Output: 1 the mailbox was created, so a turn must be queued; 0 a turn is queued or runs already
]]
local created = 1 - redis.call('EXISTS', KEYS[1])
for i = 2, #ARGV, 3 do
  local added = redis.pcall('XADD', KEYS[1], ARGV[i], 'h', ARGV[i + 1], 'b', ARGV[i + 2])
  if type(added) == 'table' and added.err and not string.find(added.err, 'equal or smaller', 1, true) then
    return added
  end
end
if created == 1 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
return created
