--[[
  A run says how far it is, and has the clip for longer, or lets it go.
  KEYS[1] the clip's row (hash)
  ARGV[1] name of the run
  ARGV[2] frames whose depth is known
  ARGV[3] for how long, ms; 0: no longer
  Output: 'kept', 'lost' or 'unknown'
]]
local run = redis.call('HGET', KEYS[1], 'run')
if not run then
  return 'unknown'
end
if run ~= ARGV[1] then
  return 'lost'
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'frames', ARGV[2], 'heldUntilMs', now + ARGV[3])
return 'kept'
