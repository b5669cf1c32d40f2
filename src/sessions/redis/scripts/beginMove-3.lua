--[[
  Reserve bytes for a session on another worker as well. Sent again, it changes nothing.
  KEYS[1] the session's row (hash)
  KEYS[2] the other worker's row (hash)
  KEYS[3] ids of the other worker's sessions (set)
  ARGV[1] fencing token
  ARGV[2] arrows
  ARGV[3] session id
  ARGV[4] ttl of the row and of the set, ms
  ARGV[5] the other worker
  ARGV[6] its instance
  ARGV[7] bytes
  Output: 'changed', 'stale', 'unknown', 'full', 'workerGone', or 'barred' if it is the session's own or another move is on
]]
-- include row
local row = readRow(KEYS[1])
local to, refusal = follow(row, ARGV[1], ARGV[2])
if not to then
  return refusal
end
if row.moveWorkerId ~= '' then
  return row.moveWorkerId == ARGV[5] and row.moveWorkerInstance == ARGV[6] and 'changed' or 'barred'
end
if row.workerId == ARGV[5] then
  return 'barred'
end
local admitted = admit(KEYS[2], ARGV[6], ARGV[7])
if admitted ~= 'changed' then
  return admitted
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('HSET', KEYS[1], 'state', to, 'moveWorkerId', ARGV[5], 'moveWorkerInstance', ARGV[6], 'moveBytes', ARGV[7])
redis.call('SADD', KEYS[3], ARGV[3])
redis.call('PEXPIRE', KEYS[3], ARGV[4])
return 'changed'
