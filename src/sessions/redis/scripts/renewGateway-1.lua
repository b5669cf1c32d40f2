--[[
  Say that a gateway lives. PEXPIRE comes first, because it is allowed where Redis is full.
  KEYS[1] the gateway's lease (string)
  ARGV[1] ttl, ms
  Output: 1 prolonged, 0 it had run out or was lost
]]
if redis.call('PEXPIRE', KEYS[1], ARGV[1]) == 1 then
  return 1
end
redis.call('SET', KEYS[1], '', 'PX', ARGV[1])
return 0
