--[[
  A turn is served: no clip that comes from now on stands before it.
  KEYS[1] the last turn of each owner, and under "" the one that is served (hash)
  ARGV[1] the turn
  ARGV[2] ttl, ms
  Output: the turn that is served
]]
local served = math.max(tonumber(redis.call('HGET', KEYS[1], '') or 0), tonumber(ARGV[1]))
redis.call('HSET', KEYS[1], '', served)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return served
