--[[
  The rows of all workers.
  KEYS[1] ids of all workers (set)
  ARGV[1] key of a worker's row without the id
  Output: for each worker its id, how long its row has left in ms, then its row as fields and values; no fields if the row ran out
]]
local workers = {}
local ids = redis.call('SMEMBERS', KEYS[1])
table.sort(ids)
for _, id in ipairs(ids) do
  workers[#workers + 1] = { id, redis.call('PTTL', ARGV[1] .. id), redis.call('HGETALL', ARGV[1] .. id) }
end
return workers
