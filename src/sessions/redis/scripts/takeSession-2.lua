--[[
  Make a gateway the session's, with a new fencing token and resume token. The hash that was presented counts on until the
  new one is confirmed. Sent again, it changes nothing; sent again after another gateway has taken the session by the same
  hash, it is refused, so that the newest stays. Hashes are compared as strings: whoever could measure for how long they
  agree would still have to find what they are the hash of.
  PEXPIRE comes first, because it is allowed where Redis is full, and after it so is the rest of the script.
  KEYS[1] the session's row (hash)
  KEYS[2] the gateway's lease (string)
  ARGV[1] session id
  ARGV[2] arrows
  ARGV[3] key of a worker's row without the id
  ARGV[4] ttl of the row, ms
  ARGV[5] ttl of the gateway's lease, ms
  ARGV[6] hash of the resume token that was presented
  ARGV[7] hash of the one that takes its place
  ARGV[8] gateway
  ARGV[9] whose it must be; '': whoever's it is
  ARGV[10] ttl of the row of a lost session at least, ms
  Output: the row as fields and values; nil if it is refused, for whatever reason
]]
-- include row
local row = readRow(KEYS[1])
if not row or row.resumable ~= '1' or string.find(row.overtaken, ARGV[7], 1, true) then
  return nil
end
if ARGV[9] ~= '' and row.owner ~= ARGV[9] then
  return nil
end
if row.tokenHash == ARGV[7] and row.previousTokenHash == ARGV[6] and row.gatewayId == ARGV[8] then
  return redis.call('HGETALL', KEYS[1])
end
if row.tokenHash ~= ARGV[6] and row.previousTokenHash ~= ARGV[6] then
  return nil
end
local to = follow(row, row.token, ARGV[2], ARGV[8])
if not to then
  return nil
end
redis.call('PEXPIRE', KEYS[1], row.state == 'lost' and math.max(ARGV[10], row.graceMs) or ARGV[4])
endMove(KEYS[1], row, ARGV[3], ARGV[1])
-- Whoever shows the newest hash has seen it: nothing that was sent under older ones can count any more.
local overtaken = ''
if row.tokenHash ~= ARGV[6] then
  -- The last four of 65 characters each: as many gateways may have tried at once.
  overtaken = string.sub(row.overtaken .. row.tokenHash .. ' ', -260)
end
redis.call('HSET', KEYS[1], 'state', to, 'gatewayId', ARGV[8], 'token', tonumber(row.token) + 1, 'tokenHash', ARGV[7],
  'previousTokenHash', ARGV[6], 'overtaken', overtaken, 'deadlineMs', '', 'touchedAtMs', nowMs())
hearGateway(KEYS[2], ARGV[5])
return redis.call('HGETALL', KEYS[1])
