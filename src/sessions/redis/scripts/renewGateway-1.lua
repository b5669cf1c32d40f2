--[[
  Say that a gateway lives. PEXPIRE comes first, because it is allowed where Redis is full.
  KEYS[1] the gateway's lease (string)
  ARGV[1] ttl, ms
  Output: 1
]]
if redis.call('PEXPIRE', KEYS[1], ARGV[1]) == 0 then
  redis.call('SET', KEYS[1], '', 'PX', ARGV[1])
end
return 1
