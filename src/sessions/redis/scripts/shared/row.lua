--[[
  What the changes of a session's row have in common. Each is handed its arrows, JSON from state to state, out of the one
  table in session-states.ts. A field that holds nothing is ''.
]]

-- The hash as a table, nil if there is none.
local function readRow(key)
  local fields = redis.call('HGETALL', key)
  if #fields == 0 then
    return nil
  end
  local row = {}
  for i = 1, #fields, 2 do
    row[fields[i]] = fields[i + 1]
  end
  return row
end

-- Where the arrows lead from this row, if the token is its own; else nil and the refusal.
local function follow(row, token, arrows, gatewayId)
  if not row then
    return nil, 'unknown'
  end
  local to = cjson.decode(arrows)[row.state]
  -- To its old worker a lost session is gone.
  if not to and row.state == 'lost' then
    return nil, 'unknown'
  end
  if row.token ~= token then
    return nil, 'stale'
  end
  if not to then
    return nil, 'barred'
  end
  if to == 'attached' and (gatewayId or row.gatewayId) == '' then
    to = 'detached'
  end
  return to
end

local function nowMs()
  local time = redis.call('TIME')
  return string.format('%d%03d', time[1], math.floor(time[2] / 1000))
end

-- A gateway that does something lives. By what stands there its own renewals tell whether Redis has forgotten any.
local function hearGateway(key, ttlMs)
  if redis.call('PEXPIRE', key, ttlMs) == 0 then
    redis.call('SET', key, '', 'PX', ttlMs)
  end
end

-- How long the row of a lost session stays: for the rest of its grace, or until its gateway has not asked for it for as long.
local function lostTtl(row, ttlMs)
  if row.deadlineMs ~= '' then
    return tonumber(row.deadlineMs) - tonumber(nowMs())
  end
  return math.max(tonumber(ttlMs), tonumber(row.graceMs))
end

-- Reserve one session more on a worker; anything but 'changed' changes nothing.
local function admit(workerKey, instance, bytes)
  local worker = redis.call('HMGET', workerKey, 'instance', 'draining', 'reservedBytes', 'capacityBytes')
  if worker[1] ~= instance or worker[2] == '1' then
    return 'workerGone'
  end
  if tonumber(worker[3]) + tonumber(bytes) > tonumber(worker[4]) then
    return 'full'
  end
  redis.call('HINCRBY', workerKey, 'reservedBytes', bytes)
  redis.call('HINCRBY', workerKey, 'sessions', 1)
  return 'changed'
end

-- A session has gone from a worker. One whose row ran out counts its sessions when it renews it.
local function dismiss(workerKey, id, bytes)
  redis.call('SREM', workerKey .. ':sessions', id)
  if redis.call('EXISTS', workerKey) == 1 then
    redis.call('HINCRBY', workerKey, 'reservedBytes', string.format('%d', -tonumber(bytes)))
    redis.call('HINCRBY', workerKey, 'sessions', -1)
  end
end

-- What is reserved on the worker that it was moving to is free again.
local function endMove(key, row, workerBase, id)
  if row.moveWorkerId ~= '' then
    dismiss(workerBase .. row.moveWorkerId, id, row.moveBytes)
    redis.call('HSET', key, 'moveWorkerId', '', 'moveWorkerInstance', '', 'moveBytes', '')
  end
end
