--[[
  End a clip from outside; whoever runs it has it no longer.
  KEYS[1] the clip's row (hash)
  ARGV[1] when (ISO 8601)
  Output: 1, or 0 when it is not there or has ended
]]
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'queued' and state ~= 'running' then
  return 0
end
redis.call('HSET', KEYS[1], 'state', 'cancelled', 'endedAt', ARGV[1], 'run', '')
return 1
