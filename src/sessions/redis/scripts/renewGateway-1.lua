--[[
  Say that a gateway lives. What stands there is the number of its last renewal: another one says that Redis has forgotten some,
  whether all of it or what is newer than its last copy. PEXPIRE comes first, because it is allowed where Redis is full.
  KEYS[1] the gateway's lease (string)
  ARGV[1] ttl, ms
  ARGV[2] number of this renewal
  Output: 1 prolonged; 0 it had run out, was lost, or is not as it was left
]]
local last = redis.call('PEXPIRE', KEYS[1], ARGV[1]) == 1 and tonumber(redis.call('GET', KEYS[1]))
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[1])
local number = tonumber(ARGV[2])
return (last == number or last == number - 1) and 1 or 0
