--[[
  Take a clip for a run.
  KEYS[1] the clip's row (hash)
  ARGV[1] name of the run
  ARGV[2] for how long it has the clip, ms
  Output: 'over', 'held' or 'taken'
]]
local state, run, held = unpack(redis.call('HMGET', KEYS[1], 'state', 'run', 'heldUntilMs'))
if state ~= 'queued' and state ~= 'running' then
  return 'over'
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if run ~= ARGV[1] and tonumber(held) > now then
  return 'held'
end
redis.call('HSET', KEYS[1], 'state', 'running', 'run', ARGV[1], 'heldUntilMs', now + ARGV[2])
return 'taken'
