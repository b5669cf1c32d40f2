--[[
  Take a worker's row down, or note that it ran out, and mark the sessions it held as lost. What was moving to it stays
  where it is.
  KEYS[1] the worker's row (hash)
  KEYS[2] ids of its sessions (set)
  KEYS[3] ids of all workers (set)
  KEYS[4] ids of the lost sessions (set)
  ARGV[1] worker id
  ARGV[2] instance that may be taken down; '' for none: only a row that ran out
  ARGV[3] key of a session's row without the id
  ARGV[4] key of a worker's row without the id
  ARGV[5] ttl of the row of a lost session at least that a gateway holds, ms; of another it is the rest of its grace
  ARGV[6] arrows of a loss
  ARGV[7] arrows of the end of a move
  ARGV[8] ttl of the set of the lost ones, ms
  Output: ids of the lost sessions; nil if nothing was done, because the worker lives or was retired before
]]
-- include row
local instance = redis.call('HGET', KEYS[1], 'instance')
if instance and instance ~= ARGV[2] then
  return nil
end
if redis.call('SREM', KEYS[3], ARGV[1]) == 0 then
  return nil
end
local lost = {}

local function lose(key, id, row)
  if redis.call('PEXPIRE', key, string.format('%d', lostTtl(row, ARGV[5]))) == 1 and redis.call('EXISTS', key) == 1 then
    redis.call('HSET', key, 'state', 'lost', 'deviceBytes', 0)
    lost[#lost + 1] = id
  end
end

for _, id in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  local key = ARGV[3] .. id
  local row = readRow(key)
  if row and row.workerId == ARGV[1] then
    local to = follow(row, row.token, ARGV[6])
    if to then
      endMove(key, row, ARGV[4], id)
    end
    if to == 'closed' then
      redis.call('DEL', key)
    elseif to then
      lose(key, id, row)
    end
  elseif row and row.moveWorkerId == ARGV[1] then
    endMove(key, row, ARGV[4], id)
    redis.call('HSET', key, 'state', follow(row, row.token, ARGV[7]))
  end
end
redis.call('DEL', KEYS[1], KEYS[2])

-- Of those that were lost before, some were replaced, closed or forgotten.
for _, id in ipairs(redis.call('SMEMBERS', KEYS[4])) do
  if redis.call('HGET', ARGV[3] .. id, 'state') ~= 'lost' then
    redis.call('SREM', KEYS[4], id)
  end
end
for _, id in ipairs(lost) do
  redis.call('SADD', KEYS[4], id)
end
redis.call('PEXPIRE', KEYS[4], ARGV[8])
return lost
