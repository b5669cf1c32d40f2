--[[
  Prolong all that BullMQ keeps of one queue.
  ARGV[1] what the names of the keys start with
  ARGV[2] ttl, ms
  ARGV[3...] the rest of the name of each key that is no job
  Output: how many there are
]]
-- include queue
local found = 0
visit_queue(3, function(name)
  found = found + redis.call('PEXPIRE', ARGV[1] .. name, ARGV[2])
end)
return found
