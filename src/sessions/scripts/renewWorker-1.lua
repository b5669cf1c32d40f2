--[[
  Prolong a worker's lease.
  KEYS[1] the worker's row (hash)
  ARGV[1] instance
  ARGV[2] ttl of the row, ms
  ARGV[3] '1' if draining, '0' if not
  Output: 1 renewed, 0 the row ran out or is another instance's
]]
if redis.call('HGET', KEYS[1], 'instance') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'draining', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
