--[[
  Append commands to a session's mailbox, creating it if no turn holds it open.
  KEYS[1] mailbox (stream)
  ARGV[1] ttl of a new mailbox, ms
  ARGV[2...] for each command: id, head, body
  Output: 1 the mailbox was created, so a turn must be queued; 0 a turn is queued or runs already
]]
local created = 1 - redis.call('EXISTS', KEYS[1])
for i = 2, #ARGV, 3 do
  redis.call('XADD', KEYS[1], ARGV[i], 'h', ARGV[i + 1], 'b', ARGV[i + 2])
end
if created == 1 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
return created
