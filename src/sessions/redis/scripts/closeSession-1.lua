--[[
  Remove a session's row and give its bytes back to its worker. The second call finds no row and frees nothing.
  KEYS[1] the session's row (hash)
  ARGV[1] fencing token
  ARGV[2] session id
  ARGV[3] key of a worker's row without the id
  Output: 'changed', 'stale' or 'unknown'
]]
local row = redis.call('HMGET', KEYS[1], 'token', 'state', 'workerId', 'bytes')
if not row[1] or row[2] == 'lost' then
  return 'unknown'
end
if row[1] ~= ARGV[1] then
  return 'stale'
end
local workerKey = ARGV[3] .. row[3]
redis.call('DEL', KEYS[1])
redis.call('SREM', workerKey .. ':sessions', ARGV[2])
if redis.call('EXISTS', workerKey) == 1 then
  redis.call('HINCRBY', workerKey, 'reservedBytes', string.format('%d', -tonumber(row[4])))
  redis.call('HINCRBY', workerKey, 'sessions', -1)
end
return 'changed'
