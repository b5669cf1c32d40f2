--[[
  Remove all that BullMQ keeps of one queue. In one step, where BullMQ takes two, which leave a queue that is paused where
  nothing comes after the first; whom it belongs to may be alive all the same.
  ARGV[1] what the names of the keys start with
  ARGV[2...] the rest of the name of each key that is no job
  Output: how many there were
]]
-- include queue
local removed = 0
visit_queue(2, function(name)
  removed = removed + redis.call('UNLINK', ARGV[1] .. name, ARGV[1] .. name .. ':lock')
end)
return removed
