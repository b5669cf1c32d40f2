--[[
  Write the row of a session that no worker has anew, as lost, from what a gateway knows of it. Whoever knows more of it has
  written it already, or overwrites this: its worker under the same token, anybody under a higher one.
  KEYS[1] the session's row (hash)
  KEYS[2] ids of the lost sessions (set)
  ARGV[1] fencing token
  ARGV[2] session id
  ARGV[3] key of a worker's row without the id
  ARGV[4] ttl of the row at least where a gateway holds it, ms; else it is the grace
  ARGV[5] ttl of the set, ms
  ARGV[6] gateway; '' for none
  ARGV[7] grace, ms
  ARGV[8...] fields and values of the row
  Output: 'restored' or 'stale'
]]
-- include row
local row = readRow(KEYS[1])
if row and tonumber(row.token) >= tonumber(ARGV[1])
  or not row and redis.call('EXISTS', KEYS[1] .. ':over') == 1 then
  return 'stale'
end
local deadline = ARGV[6] == '' and string.format('%d', tonumber(nowMs()) + tonumber(ARGV[7])) or ''
local ttlMs = lostTtl({ deadlineMs = deadline, graceMs = ARGV[7] }, ARGV[4])
if ttlMs <= 0 then
  return 'stale'
end
if row then
  endMove(KEYS[1], row, ARGV[3], ARGV[2])
  if row.state ~= 'lost' then
    dismiss(ARGV[3] .. row.workerId, ARGV[2], row.deviceBytes)
  end
end
redis.call('HSET', KEYS[1], 'state', 'lost', 'token', ARGV[1], 'deviceBytes', 0, 'gatewayId', ARGV[6],
  'graceMs', ARGV[7], 'deadlineMs', deadline, 'overtaken', '', 'movedToken', '',
  'moveWorkerId', '', 'moveWorkerInstance', '', 'moveBytes', '', unpack(ARGV, 8))
redis.call('HDEL', KEYS[1], 'restoredAtMs')
redis.call('PEXPIRE', KEYS[1], string.format('%d', ttlMs))
redis.call('SADD', KEYS[2], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return 'restored'
