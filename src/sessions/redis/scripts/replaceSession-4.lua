--[[
  Put a session whose worker is gone onto another, with a new fencing token. Sent again, it changes nothing.
  KEYS[1] the session's row (hash)
  KEYS[2] the new worker's row (hash)
  KEYS[3] ids of the new worker's sessions (set)
  KEYS[4] the gateway's lease (string)
  ARGV[1] fencing token
  ARGV[2] arrows
  ARGV[3] session id
  ARGV[4] key of a worker's row without the id
  ARGV[5] ttl of the row and of the set, ms
  ARGV[6] ttl of the gateway's lease, ms
  ARGV[7] the new worker
  ARGV[8] its instance
  ARGV[9] bytes
  ARGV[10] gateway
  Output: 'placed', 'stale', 'unknown', 'full', 'workerGone' if the new one is, or 'barred' if the old one lives
]]
-- include row
local row = readRow(KEYS[1])
local token = tonumber(ARGV[1]) + 1
if row and row.state ~= 'lost' and tonumber(row.token) == token and row.workerId == ARGV[7]
  and row.workerInstance == ARGV[8] and row.gatewayId == ARGV[10] then
  return 'placed'
end
local to, refusal = follow(row, ARGV[1], ARGV[2], ARGV[10])
if not to then
  return refusal
end
local oldKey = ARGV[4] .. row.workerId
if row.state ~= 'lost' and redis.call('HGET', oldKey, 'instance') == row.workerInstance then
  return 'barred'
end
local admitted = admit(KEYS[2], ARGV[8], ARGV[9])
if admitted ~= 'changed' then
  return admitted
end
if row.state ~= 'lost' then
  dismiss(oldKey, ARGV[3], row.deviceBytes)
end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
endMove(KEYS[1], row, ARGV[4], ARGV[3])
redis.call('HSET', KEYS[1], 'state', to, 'token', token, 'workerId', ARGV[7], 'workerInstance', ARGV[8],
  'bytes', ARGV[9], 'deviceBytes', ARGV[9], 'gatewayId', ARGV[10], 'deadlineMs', '', 'touchedAtMs', nowMs())
redis.call('SADD', KEYS[3], ARGV[3])
redis.call('PEXPIRE', KEYS[3], ARGV[5])
hearGateway(KEYS[4], ARGV[6])
return 'placed'
