--[[
  Add what a key used to a day, unless the mark says that it was counted. PEXPIRE comes first, because it is allowed where Redis is
  full, and after it so is the rest of the script.
  KEYS[1] the day (hash)
  KEYS[2] the mark (string, a number)
  ARGV[1] ttl of the day, ms
  ARGV[2] number of the mark
  ARGV[3] ttl of the mark, ms
  ARGV[4] number that must be counted before; '' if none must
  ARGV[5...] fields and amounts
  Output: 1 it was added; 0 it was counted before; -1 what comes before it was not
]]
redis.call('PEXPIRE', KEYS[1], ARGV[1])
local mark = redis.call('GET', KEYS[2])
local counted = mark and tonumber(mark)
if counted and counted >= tonumber(ARGV[2]) then
  return 0
end
if ARGV[4] ~= '' and (not counted or counted < tonumber(ARGV[4])) then
  return -1
end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
for i = 5, #ARGV, 2 do
  redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1])
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
