--[[
  A run ends, and the clip with it.
  KEYS[1] the clip's row (hash)
  ARGV[1] name of the run
  ARGV[2...] fields and values of the row
  Output: 'kept', 'lost' or 'unknown'
]]
local run = redis.call('HGET', KEYS[1], 'run')
if not run then
  return 'unknown'
end
if run ~= ARGV[1] then
  return 'lost'
end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
return 'kept'
