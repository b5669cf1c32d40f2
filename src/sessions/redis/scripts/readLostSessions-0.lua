--[[
  Which sessions are not their gateway's any more, and why.
  ARGV[1] key of a session's row without the id
  ARGV[2...] for each session: id, token
  Output: for each of them id and 'gone', 'stale', 'lost' or 'detached'
]]
local lost = {}
for i = 2, #ARGV, 2 do
  local row = redis.call('HMGET', ARGV[1] .. ARGV[i], 'token', 'state', 'gatewayId')
  if row[1] ~= ARGV[i + 1] then
    lost[#lost + 1] = { ARGV[i], row[1] and 'stale' or 'gone' }
  elseif row[2] == 'lost' then
    lost[#lost + 1] = { ARGV[i], 'lost' }
  elseif row[3] == '' then
    lost[#lost + 1] = { ARGV[i], 'detached' }
  end
end
return lost
