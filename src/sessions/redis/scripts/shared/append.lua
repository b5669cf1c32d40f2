--[[
  Append to a stream what ARGV holds from `first` on: for each entry id, head, body. The stream is made, with a life of its
  own, if it is not there. An entry that it has already is left out, so that the whole may be sent again.
  Returns 1 the stream was made, 0 it was there, or an error.
]]
local function append(key, ttlMs, first)
  local created = 1 - redis.call('EXISTS', key)
  for i = first, #ARGV, 3 do
    local added = redis.pcall('XADD', key, ARGV[i], 'h', ARGV[i + 1], 'b', ARGV[i + 2])
    if type(added) == 'table' and added.err and not string.find(added.err, 'equal or smaller', 1, true) then
      return added
    end
  end
  if created == 1 then
    redis.call('PEXPIRE', key, ttlMs)
  end
  return created
end
