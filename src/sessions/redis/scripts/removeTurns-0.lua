--[[
  Remove all that BullMQ keeps of one queue. In one step, where BullMQ takes two, which leave a queue that is paused where
  nothing comes after the first; whom it belongs to may be alive all the same.
  ARGV[1] what the names of the keys start with
  ARGV[2...] the rest of the name of each key that is no job
  Output: how many there were
]]
local removed = 0
local function remove(name)
  removed = removed + redis.call('UNLINK', ARGV[1] .. name)
end
for i = 2, #ARGV do
  local key = ARGV[1] .. ARGV[i]
  local kind = redis.call('TYPE', key).ok
  local jobs = {}
  if kind == 'list' then
    jobs = redis.call('LRANGE', key, 0, -1)
  elseif kind == 'zset' then
    jobs = redis.call('ZRANGE', key, 0, -1)
  end
  for _, job in ipairs(jobs) do
    remove(job)
    remove(job .. ':lock')
  end
  remove(ARGV[i])
end
return removed
