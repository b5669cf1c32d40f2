--[[
  Prolong all that BullMQ keeps of one queue.
  ARGV[1] what the names of the keys start with
  ARGV[2] ttl, ms
  ARGV[3...] the rest of the name of each key that is no job
  Output: how many there are
]]
local found = 0
local function keep(name)
  found = found + redis.call('PEXPIRE', ARGV[1] .. name, ARGV[2])
end
for i = 3, #ARGV do
  local key = ARGV[1] .. ARGV[i]
  local kind = redis.call('TYPE', key).ok
  local jobs = {}
  if kind == 'list' then
    jobs = redis.call('LRANGE', key, 0, -1)
  elseif kind == 'zset' then
    jobs = redis.call('ZRANGE', key, 0, -1)
  end
  for _, job in ipairs(jobs) do
    keep(job)
  end
  keep(ARGV[i])
end
return found
