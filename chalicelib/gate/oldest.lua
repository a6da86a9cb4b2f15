-- Tells how long the oldest claim has waited for its decision, without looking at the others.
--
-- A claim that was never handed out again is in `waiting` by its acceptance; one that was is in `late` by it. So
-- the older of both first ones is the oldest of all: what is first in `waiting` by a later time is in `late`, too.
-- Whoever settles a claim leaves it in `late`: those without a claim go when they come to the front.
--
-- KEYS  1 claims  2 waiting  3 late
-- returns the age of the oldest claim since its acceptance, ms; nothing when there is none

local function first_ms(key)
  for _ = 1, 1000 do
    local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
    if not first[1] then
      return math.huge
    end
    if redis.call('HEXISTS', KEYS[1], first[1]) == 1 then
      return tonumber(first[2])
    end
    redis.call('ZREM', key, first[1])
  end
  return math.huge
end

local oldest_ms = math.min(first_ms(KEYS[2]), first_ms(KEYS[3]))
if oldest_ms == math.huge then
  return nil
end
local clock = redis.call('TIME')
return math.max(0, clock[1] * 1000 + math.floor(clock[2] / 1000) - oldest_ms)
