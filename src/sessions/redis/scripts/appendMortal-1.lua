--[[
  Append to a stream that lives no longer than this unless somebody prolongs it.
  KEYS[1] the stream
  ARGV[1] ttl, ms
  ARGV[2] head
  ARGV[3] body
  Output: the id
]]
local id = redis.call('XADD', KEYS[1], '*', 'h', ARGV[2], 'b', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return id
