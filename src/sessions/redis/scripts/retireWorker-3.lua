--[[
  Take a worker's row down, or note that it ran out, and mark the sessions it held as lost.
  KEYS[1] the worker's row (hash)
  KEYS[2] ids of its sessions (set)
  KEYS[3] ids of all workers (set)
  ARGV[1] worker id
  ARGV[2] instance that may be taken down; '' for none: only a row that ran out
  ARGV[3] key of a session's row without the id
  ARGV[4] ttl of a lost session's row, ms
  Output: ids of the lost sessions; nil if nothing was done, because the worker lives or was retired before
]]
local instance = redis.call('HGET', KEYS[1], 'instance')
if instance and instance ~= ARGV[2] then
  return nil
end
if redis.call('SREM', KEYS[3], ARGV[1]) == 0 then
  return nil
end
local ids = redis.call('SMEMBERS', KEYS[2])
for _, id in ipairs(ids) do
  if redis.call('PEXPIRE', ARGV[3] .. id, ARGV[4]) == 1 then
    redis.call('HSET', ARGV[3] .. id, 'state', 'lost')
  end
end
redis.call('DEL', KEYS[1], KEYS[2])
return ids
