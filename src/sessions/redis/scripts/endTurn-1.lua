--[[
  End a turn by removing its mailbox, unless something was appended that the turn has not read. The gateway appends
  with XADD NOMKSTREAM, so every append either comes before this and is seen here, or finds no mailbox and queues the
  next turn: none is ever left behind.
  KEYS[1] mailbox (stream)
  ARGV[1] smallest id that the turn has not read
  Output: 1 ended, 0 there is more to read
]]
if #redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', 1) > 0 then
  return 0
end
redis.call('DEL', KEYS[1])
return 1
