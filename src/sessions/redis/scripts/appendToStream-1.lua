--[[
  Append entries to a session's mailbox or outbound stream, making it, with a life of its own, if it is not there. An entry
  that it has already is left out, so that the whole may be sent again.
  KEYS[1] the stream
  ARGV[1] ttl of a new stream, ms
  ARGV[2...] for each entry: id, head, body
  Output: 1 the stream was made (of a mailbox: so a turn must be queued); 0 it was there (a turn is queued or runs already)
]]
local created = 1 - redis.call('EXISTS', KEYS[1])
for i = 2, #ARGV, 3 do
  local added = redis.pcall('XADD', KEYS[1], ARGV[i], 'h', ARGV[i + 1], 'b', ARGV[i + 2])
  if type(added) == 'table' and added.err and not string.find(added.err, 'equal or smaller', 1, true) then
    return added
  end
end
if created == 1 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
return created
