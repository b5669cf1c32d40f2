--[[
  Prolong the rows of a worker's sessions, and say how their gateways stand to them.
  KEYS[1] ids of the worker's sessions (set)
  ARGV[1] key of a session's row without the id
  ARGV[2] key of a gateway's lease without the id
  ARGV[3] ttl of a session's row, ms
  Output: for each session id, token, and 'alive', 'gone' or 'left'
]]
local sessions = {}
local alive = {}
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local key = ARGV[1] .. id
  local row = redis.call('HMGET', key, 'token', 'gatewayId', 'left')
  if row[1] then
    redis.call('PEXPIRE', key, ARGV[3])
    local gateway = row[2]
    if alive[gateway] == nil then
      alive[gateway] = redis.call('EXISTS', ARGV[2] .. gateway) == 1
    end
    sessions[#sessions + 1] = { id, row[1], row[3] and 'left' or alive[gateway] and 'alive' or 'gone' }
  end
end
return sessions
