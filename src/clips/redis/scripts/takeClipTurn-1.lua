--[[
  Where a clip stands in the line, by start-time fair queueing: each owner's clips are one turn apart, and nobody's lie
  before the turn that is being served.
  KEYS[1] the last turn of each owner, and under "" the one that is served (hash)
  ARGV[1] owner, with something before it
  ARGV[2] ttl, ms
  Output: the turn, from 1
]]
local served = tonumber(redis.call('HGET', KEYS[1], '') or 0)
local last = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or 0)
local turn = math.max(served, last) + 1
redis.call('HSET', KEYS[1], ARGV[1], turn)
-- Owners whose last turn was served are where those stand that were never here.
if redis.call('HLEN', KEYS[1]) > 1000 then
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    if all[i] ~= '' and tonumber(all[i + 1]) <= served then
      redis.call('HDEL', KEYS[1], all[i])
    end
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return turn
