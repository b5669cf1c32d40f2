--[[
  Append events to a session's outbound stream, unless it was ended.
  KEYS[1] the stream
  KEYS[2] says that it was ended (string)
  ARGV[1] ttl of a new stream, ms
  ARGV[2...] for each entry: id, head, body
  Output: 1 it was made, 0 it was there, -1 nobody reads it any more
]]
-- include append
if redis.call('EXISTS', KEYS[2]) == 1 then
  return -1
end
return append(KEYS[1], ARGV[1], 2)
