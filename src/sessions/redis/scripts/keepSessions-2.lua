--[[
  Prolong the rows of a worker's sessions, and say how their gateways stand to them. What its row counts is set right by
  the rows that are there. PEXPIRE comes first, because it is allowed where Redis is full, and after it so is the rest of
  the script.
  KEYS[1] ids of the worker's sessions (set)
  KEYS[2] the worker's row (hash)
  ARGV[1] key of a session's row without the id
  ARGV[2] key of a gateway's lease without the id
  ARGV[3] ttl of a session's row and of the set, ms
  Output: for each session id, token, and 'alive', 'gone' or 'left'
]]
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local sessions = {}
local alive = {}
local bytes = 0
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local key = ARGV[1] .. id
  local row = redis.call('HMGET', key, 'token', 'gatewayId', 'left', 'bytes')
  if row[1] then
    redis.call('PEXPIRE', key, ARGV[3])
    bytes = bytes + tonumber(row[4])
    local gateway = row[2]
    if alive[gateway] == nil then
      alive[gateway] = redis.call('EXISTS', ARGV[2] .. gateway) == 1
    end
    sessions[#sessions + 1] = { id, row[1], row[3] and 'left' or alive[gateway] and 'alive' or 'gone' }
  else
    redis.call('SREM', KEYS[1], id)
  end
end
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('HSET', KEYS[2], 'reservedBytes', string.format('%d', bytes), 'sessions', #sessions)
end
return sessions
