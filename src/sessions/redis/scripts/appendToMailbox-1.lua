--[[
  Append commands to a session's mailbox.
  KEYS[1] the mailbox (stream)
  ARGV[1] ttl of a new stream, ms
  ARGV[2...] for each entry: id, head, body
  Output: 1 it was made, so a turn must be queued; 0 it was there: a turn is queued or runs already
]]
-- include append
return append(KEYS[1], ARGV[1], 2)
