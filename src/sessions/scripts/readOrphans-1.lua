--[[
  Which sessions of a worker have no living gateway.
  KEYS[1] ids of the worker's sessions (set)
  ARGV[1] key of a session's row without the id
  ARGV[2] key of a gateway's lease without the id
  Output: ids of the sessions
]]
local orphans = {}
local living = {}
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local gateway = redis.call('HGET', ARGV[1] .. id, 'gatewayId')
  if gateway then
    if living[gateway] == nil then
      living[gateway] = redis.call('EXISTS', ARGV[2] .. gateway) == 1
    end
    if not living[gateway] then
      orphans[#orphans + 1] = id
    end
  end
end
return orphans
