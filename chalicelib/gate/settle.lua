-- Settles claims by id: a kept claim is sold, a returned one gives its tickets back to sale.
-- A claim is settled once; an id without a claim changes nothing, so repeating is harmless.
--
-- KEYS  1 stock  2 claims  3 waiting  4 epoch (a load that began before must start over)
-- ARGV  1 number of kept ids, then the kept ids, then the returned ids
-- returns the number of claims settled

local settled = 0
local kept = tonumber(ARGV[1])
-- unpack() puts its values on a stack of 8,000: a batch of 10,000 goes in slices
for first = 2, kept + 1, 1000 do
  local last = math.min(first + 999, kept + 1)
  settled = settled + redis.call('HDEL', KEYS[2], unpack(ARGV, first, last))
  redis.call('ZREM', KEYS[3], unpack(ARGV, first, last))
end

-- each returned claim is deleted before the next is looked at: an id named twice is given back once
local loaded = redis.call('EXISTS', KEYS[1]) == 1
for i = kept + 2, #ARGV do
  local claim = redis.call('HGET', KEYS[2], ARGV[i])
  if claim then
    redis.call('HDEL', KEYS[2], ARGV[i])
    redis.call('ZREM', KEYS[3], ARGV[i])
    settled = settled + 1
    if loaded then
      for _, item in ipairs(cjson.decode(claim).items) do
        redis.call('HINCRBY', KEYS[1], string.format('%d', item.ticketTypeId), item.quantity)
      end
    end
  end
end
redis.call('INCR', KEYS[4])
return settled
