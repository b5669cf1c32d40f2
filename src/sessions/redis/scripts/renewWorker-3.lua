--[[
  Prolong a worker's lease. A row that ran out without anybody having noted it is put up again: its sessions are there
  still, since whoever notes it takes them away in the same step.
  PEXPIRE comes first, because it is allowed where Redis is full, and after it so is the rest of the script.
  KEYS[1] the worker's row (hash)
  KEYS[2] ids of its sessions (set)
  KEYS[3] ids of all workers (set)
  ARGV[1] worker id
  ARGV[2] instance
  ARGV[3] ttl of the row, ms
  ARGV[4] '1' if draining, '0' if not
  ARGV[5] ttl of what must outlive the row, ms
  ARGV[6] key of a session's row without the id
  ARGV[7] bytes that sessions may reserve
  ARGV[8] offer, JSON
  ARGV[9] bytes that the worker could free by parking sessions
  ARGV[10] what it has given to others, JSON
  ARGV[11] how its frames fare, JSON
  Output: 1 renewed, 0 the worker was noted as lost or the row is another instance's
]]
local instance = redis.call('HGET', KEYS[1], 'instance')
if instance and instance ~= ARGV[2] then
  return 0
end
if redis.call('PEXPIRE', KEYS[3], ARGV[5]) == 0 or redis.call('SISMEMBER', KEYS[3], ARGV[1]) == 0 then
  return 0
end
redis.call('PEXPIRE', KEYS[2], ARGV[5])
if not instance then
  local bytes = 0
  local sessions = 0
  for _, id in ipairs(redis.call('SMEMBERS', KEYS[2])) do
    local row = redis.call('HMGET', ARGV[6] .. id, 'workerInstance', 'deviceBytes', 'moveWorkerInstance', 'moveBytes')
    if row[1] == ARGV[2] then
      bytes = bytes + tonumber(row[2])
    elseif row[3] == ARGV[2] then
      bytes = bytes + tonumber(row[4])
    elseif row[1] then
      return 0
    end
    sessions = sessions + (row[1] and 1 or 0)
  end
  redis.call('HSET', KEYS[1], 'id', ARGV[1], 'instance', ARGV[2], 'offer', ARGV[8], 'capacityBytes', ARGV[7],
    'reservedBytes', string.format('%d', bytes), 'sessions', sessions)
end
redis.call('HSET', KEYS[1], 'draining', ARGV[4], 'parkableBytes', ARGV[9], 'moved', ARGV[10],
  'pace', ARGV[11])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
