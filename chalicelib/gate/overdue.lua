-- Hands out claims whose message was put on the queue too long ago, and notes that it is put there anew.
--
-- KEYS  1 claims  2 waiting  3 late
-- ARGV  1 how long is too long, ms  2 how many at most
-- returns the claims, oldest first

local clock = redis.call('TIME')
local now_ms = clock[1] * 1000 + math.floor(clock[2] / 1000)
local limit = now_ms - tonumber(ARGV[1])
local found = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', limit, 'WITHSCORES', 'LIMIT', 0, tonumber(ARGV[2]))
local claims = {}
for i = 1, #found, 2 do
  local id = found[i]
  local claim = redis.call('HGET', KEYS[1], id)
  if claim then
    claims[#claims + 1] = claim
    -- the first time it was put on the queue when it was accepted
    redis.call('ZADD', KEYS[3], 'NX', found[i + 1], id)
    redis.call('ZADD', KEYS[2], now_ms, id)
  else
    redis.call('ZREM', KEYS[2], id)
  end
end
return claims
