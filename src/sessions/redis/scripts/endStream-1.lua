--[[
  Nobody reads an outbound stream any more. What takes its place says so to whoever appends: a stream that is only missing
  was lost, and is made again. PEXPIRE comes first, because it is allowed where Redis is full, and after it so is the rest.
  KEYS[1] the stream
  ARGV[1] for how long it is told, ms
  Output: 1
]]
if redis.call('PEXPIRE', KEYS[1], ARGV[1]) == 1 then
  redis.call('DEL', KEYS[1])
end
redis.call('SET', KEYS[1], '', 'PX', ARGV[1])
return 1
