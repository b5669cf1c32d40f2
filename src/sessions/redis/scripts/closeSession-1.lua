--[[
  Remove a session's row and give its bytes back to its worker. The second call finds no row and frees nothing.
  KEYS[1] the session's row (hash)
  ARGV[1] fencing token
  ARGV[2] arrows
  ARGV[3] session id
  ARGV[4] key of a worker's row without the id
  Output: 'changed', 'stale', 'unknown' or 'barred'
]]
-- include row
local row = readRow(KEYS[1])
local to, refusal = follow(row, ARGV[1], ARGV[2])
if not to then
  return refusal
end
redis.call('DEL', KEYS[1])
if row.moveWorkerId ~= '' then
  dismiss(ARGV[4] .. row.moveWorkerId, ARGV[3], row.moveBytes)
end
dismiss(ARGV[4] .. row.workerId, ARGV[3], row.deviceBytes)
return 'changed'
