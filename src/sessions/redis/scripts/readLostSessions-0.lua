--[[
  Which sessions have no row any more under the token by which their gateway holds them.
  ARGV[1] key of a session's row without the id
  ARGV[2...] for each session: id, token
  Output: ids of the sessions
]]
local lost = {}
for i = 2, #ARGV, 2 do
  local row = redis.call('HMGET', ARGV[1] .. ARGV[i], 'token', 'state')
  if row[1] ~= ARGV[i + 1] or row[2] == 'lost' then
    lost[#lost + 1] = ARGV[i]
  end
end
return lost
