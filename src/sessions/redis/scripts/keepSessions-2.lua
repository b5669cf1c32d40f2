--[[
  Prolong the rows of a worker's sessions, and say who holds them. What its row counts is set right by the rows that are
  there. PEXPIRE comes first, because it is allowed where Redis is full, and after it so is the rest of the script.
  KEYS[1] ids of the worker's sessions (set)
  KEYS[2] the worker's row (hash)
  ARGV[1] worker
  ARGV[2] key of a session's row without the id
  ARGV[3] key of a gateway's lease without the id
  ARGV[4] ttl of a session's row and of the set, ms
  ARGV[5] how long a gateway has to claim a session that was restored, ms
  Output: for each session id, token, 'alive', 'gone', 'left', 'detached' or 'expired', 1 if it is moving here, state,
    bytes that it takes on its worker, and version
]]
-- include row
redis.call('PEXPIRE', KEYS[1], ARGV[4])
local now = tonumber(nowMs())
local sessions = {}
local alive = {}
local bytes = 0

local function holder(state, gatewayId, deadlineMs, restoredAtMs)
  if state == 'leaving' then
    return 'left'
  end
  if gatewayId == '' then
    return tonumber(deadlineMs) > now and 'detached' or 'expired'
  end
  if alive[gatewayId] == nil then
    alive[gatewayId] = redis.call('EXISTS', ARGV[3] .. gatewayId) == 1
  end
  local isUnclaimed = restoredAtMs and tonumber(restoredAtMs) + tonumber(ARGV[5]) <= now
  return alive[gatewayId] and not isUnclaimed and 'alive' or 'gone'
end

for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local key = ARGV[2] .. id
  local row = redis.call('HMGET', key, 'token', 'state', 'gatewayId', 'deadlineMs', 'workerId', 'deviceBytes',
    'moveWorkerId', 'moveBytes', 'restoredAtMs', 'previousTokenHash', 'bytes')
  local isHere = row[5] == ARGV[1]
  if row[2] ~= 'lost' and (isHere or row[7] == ARGV[1]) then
    redis.call('PEXPIRE', key, ARGV[4])
    bytes = bytes + tonumber(isHere and row[6] or row[8])
    sessions[#sessions + 1] = { id, row[1], holder(row[2], row[3], row[4], row[9]), isHere and 0 or 1,
      row[2], row[6], table.concat({ row[1], row[2], row[3], row[10], row[11], row[6] }, '/') }
  else
    redis.call('SREM', KEYS[1], id)
  end
end
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('HSET', KEYS[2], 'reservedBytes', string.format('%d', bytes), 'sessions', #sessions)
end
return sessions
