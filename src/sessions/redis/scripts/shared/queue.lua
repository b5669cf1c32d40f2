--[[
  Everything that BullMQ keeps of one queue, whose keys' names start with ARGV[1]: calls `visit` with the rest of each name, jobs
  before what lists them. ARGV from `first` on has those of the keys that are no jobs.
]]
local function visit_queue(first, visit)
  for i = first, #ARGV do
    local key = ARGV[1] .. ARGV[i]
    local kind = redis.call('TYPE', key).ok
    local jobs = {}
    if kind == 'list' then
      jobs = redis.call('LRANGE', key, 0, -1)
    elseif kind == 'zset' then
      jobs = redis.call('ZRANGE', key, 0, -1)
    end
    for _, job in ipairs(jobs) do
      visit(job)
    end
    visit(ARGV[i])
  end
end
