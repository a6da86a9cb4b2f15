-- Hands out claims whose message was put on the queue too long ago, and notes that it is put there anew.
--
-- KEYS  1 claims  2 waiting
-- ARGV  1 how long is too long, ms  2 how many at most
-- returns the claims, oldest first

local clock = redis.call('TIME')
local now_ms = clock[1] * 1000 + math.floor(clock[2] / 1000)
local ids = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now_ms - tonumber(ARGV[1]), 'LIMIT', 0, tonumber(ARGV[2]))
local claims = {}
for _, id in ipairs(ids) do
  local claim = redis.call('HGET', KEYS[1], id)
  if claim then
    claims[#claims + 1] = claim
    redis.call('ZADD', KEYS[2], now_ms, id)
  else
    redis.call('ZREM', KEYS[2], id)
  end
end
return claims
