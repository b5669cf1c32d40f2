--[[
  Enter a clip in the book, unless it is there.
  KEYS[1] the clip's row (hash)
  KEYS[2] places of all clips (zset, every score 0)
  KEYS[3] places of the clips of its owner (the same)
  ARGV[1] its place
  ARGV[2] ttl, ms
  ARGV[3...] fields and values of the row
  Output: 1, or 0 when it was there
]]
for _, key in ipairs({ KEYS[2], KEYS[3] }) do
  redis.call('ZADD', key, 0, ARGV[1])
  redis.call('PEXPIRE', key, ARGV[2])
end
local isNew = redis.call('EXISTS', KEYS[1]) == 0
if isNew then
  redis.call('HSET', KEYS[1], 'run', '', 'heldUntilMs', 0, unpack(ARGV, 3))
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return isNew and 1 or 0
