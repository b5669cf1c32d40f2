--[[
  Around a script of BullMQ, which gives its keys no life: every key that is named first in one of its commands, and has no
  life when it is done, is given one in the same step. So none is left behind by a process that dies before it says more.
  What a command names second, as RENAME does, is among KEYS.
]]
local given = redis
local named = {}
for _, key in ipairs(KEYS) do
  named[key] = true
end

local function noting(call)
  return function(command, key, ...)
    if key then
      named[key] = true
    end
    return call(command, key, ...)
  end
end

local function act(redis)
-- script
end

local noted = { call = noting(given.call), pcall = noting(given.pcall), error_reply = given.error_reply }
local answer = act(noted)
for key in pairs(named) do
  if given.call('PTTL', key) == -1 then
    given.call('PEXPIRE', key, '-- ttl')
  end
end
return answer
