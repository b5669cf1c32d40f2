--[[
  Give a turn that was queued just now, and its queue, a life: BullMQ itself gives its keys none.
  ARGV[1] what the names of the keys start with
  ARGV[2] ttl, ms
  ARGV[3...] the rest of each name
  Output: how many there are
]]
local found = 0
for i = 3, #ARGV do
  found = found + redis.call('PEXPIRE', ARGV[1] .. ARGV[i], ARGV[2])
end
return found
