--[[
  Write the row of a session anew from what its worker holds. Of two claims the higher token wins, then the worker that has
  the state; its bytes are there already, so that they need not fit. Sent again, it changes nothing.
  KEYS[1] the session's row (hash)
  KEYS[2] the worker's row (hash)
  KEYS[3] ids of the worker's sessions (set)
  ARGV[1] fencing token
  ARGV[2] arrows
  ARGV[3] session id
  ARGV[4] key of a worker's row without the id
  ARGV[5] ttl of the row and of the set, ms
  ARGV[6] instance of the worker
  ARGV[7] state, where there is no row
  ARGV[8] bytes that it takes on the device
  ARGV[9] gateway; '' for none
  ARGV[10] grace, ms
  ARGV[11...] fields and values of the row
  Output: 'restored', 'stale' or 'workerGone'
]]
-- include row
if redis.call('HGET', KEYS[2], 'instance') ~= ARGV[6] then
  return 'workerGone'
end
local row = readRow(KEYS[1])
local token = tonumber(ARGV[1])
local known = row and tonumber(row.token) or 0
if known >= token and row.workerInstance ~= ARGV[6]
  or not row and redis.call('EXISTS', KEYS[1] .. ':over') == 1 then
  return 'stale'
end
-- Under a higher token a gateway has taken it from the one that the worker knows of, and the worker is about to hear so.
if known >= token and row.state ~= 'lost' then
  return 'restored'
end
if known > token then
  return 'stale'
end

local now = nowMs()
if row and known < token then
  endMove(KEYS[1], row, ARGV[4], ARGV[3])
  if row.state ~= 'lost' then
    dismiss(ARGV[4] .. row.workerId, ARGV[3], row.deviceBytes)
  end
end
redis.call('HINCRBY', KEYS[2], 'reservedBytes', ARGV[8])
redis.call('HINCRBY', KEYS[2], 'sessions', 1)
redis.call('SADD', KEYS[3], ARGV[3])
redis.call('PEXPIRE', KEYS[3], ARGV[5])
if known == token then
  redis.call('HSET', KEYS[1], 'state', follow(row, ARGV[1], ARGV[2]), 'deviceBytes', ARGV[8], 'restoredAtMs', now)
else
  local deadline = ARGV[9] == '' and string.format('%d', tonumber(now) + tonumber(ARGV[10])) or ''
  redis.call('HSET', KEYS[1], 'state', ARGV[7], 'token', ARGV[1], 'deviceBytes', ARGV[8], 'gatewayId', ARGV[9],
    'graceMs', ARGV[10], 'deadlineMs', deadline, 'overtaken', '', 'movedToken', '', 'restoredAtMs', now,
    'moveWorkerId', '', 'moveWorkerInstance', '', 'moveBytes', '', unpack(ARGV, 11))
end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 'restored'
