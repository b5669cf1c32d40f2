--[[
  Put up a worker's row unless another's is there. Sent again, it changes nothing.
  KEYS[1] the worker's row (hash)
  KEYS[2] ids of all workers (set)
  ARGV[1] worker id
  ARGV[2] ttl of the row, ms
  ARGV[3] bytes that sessions may reserve
  ARGV[4] instance
  ARGV[5] offer, JSON
  ARGV[6] '1' if draining, '0' if not
  ARGV[7] ttl of what must outlive the row, ms
  ARGV[8] bytes that the worker could free by parking sessions
  ARGV[9] what it has given to others, JSON
  ARGV[10] how its frames fare, JSON
  Output: 1 registered, 0 the row is another's
]]
local instance = redis.call('HGET', KEYS[1], 'instance')
if instance then
  return instance == ARGV[4] and 1 or 0
end
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'instance', ARGV[4], 'offer', ARGV[5], 'draining', ARGV[6],
  'capacityBytes', ARGV[3], 'reservedBytes', 0, 'sessions', 0, 'parkableBytes', ARGV[8], 'moved', ARGV[9],
  'pace', ARGV[10])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[7])
return 1
