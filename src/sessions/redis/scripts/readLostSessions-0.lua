--[[
  Which sessions are not their gateway's any more, and why. Those that are and were restored are claimed by that, and lost ones
  that it holds are kept for as long as it asks.
  ARGV[1] key of a session's row without the id
  ARGV[2] ttl of the row of a lost session at least, ms
  ARGV[3...] for each session: id, token
  Output: for each of them id and 'gone', 'behind', 'stale', 'lost' or 'detached'
]]
local lost = {}
for i = 3, #ARGV, 2 do
  local row = redis.call('HMGET', ARGV[1] .. ARGV[i], 'token', 'state', 'gatewayId',
    'restoredAtMs', 'graceMs')
  if not row[1] then
    lost[#lost + 1] = { ARGV[i], 'gone' }
  elseif row[1] ~= ARGV[i + 1] then
    lost[#lost + 1] = { ARGV[i], tonumber(row[1]) < tonumber(ARGV[i + 1]) and 'behind' or 'stale' }
  elseif row[2] == 'lost' then
    if row[3] ~= '' then
      redis.call('PEXPIRE', ARGV[1] .. ARGV[i], math.max(ARGV[2], row[5]))
    end
    lost[#lost + 1] = { ARGV[i], 'lost' }
  elseif row[3] == '' then
    lost[#lost + 1] = { ARGV[i], 'detached' }
  end
  if row[4] and row[1] == ARGV[i + 1] and row[2] ~= 'lost' then
    redis.call('HDEL', ARGV[1] .. ARGV[i], 'restoredAtMs')
  end
end
return lost
