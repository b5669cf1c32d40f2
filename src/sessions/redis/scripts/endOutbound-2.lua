--[[
  Nobody reads an outbound stream any more. It goes, and a key beside it says so to whoever appends: a stream that is only
  missing was lost, and is made again. A string in its place would fail a read that names it among others and is on its way.
  PEXPIRE comes first, because it is allowed where Redis is full, and after it so is the rest.
  KEYS[1] the stream
  KEYS[2] says that it was ended (string)
  ARGV[1] for how long it is told, ms
  Output: 1
]]
if redis.call('PEXPIRE', KEYS[1], ARGV[1]) == 1 then
  redis.call('DEL', KEYS[1])
end
redis.call('SET', KEYS[2], '', 'PX', ARGV[1])
return 1
