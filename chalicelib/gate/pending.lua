-- Lists unsettled orders, newest first. When the order that the last page ended with was settled meanwhile, its
-- time is where this one begins.
--
-- KEYS  1 claims  2 waiting  3 terms
-- ARGV  1 how many at most; then the order id that the last page ended with, and its time of acceptance, ms
-- returns the claims, or 'not-loaded' when there are some, but the event is not loaded: some may be decided

local ids
local rank = ARGV[2] and redis.call('ZREVRANK', KEYS[2], ARGV[2])
if ARGV[2] and not rank then
  ids = redis.call('ZREVRANGEBYSCORE', KEYS[2], '(' .. ARGV[3], '-inf', 'LIMIT', 0, ARGV[1])
else
  local first = rank and rank + 1 or 0
  ids = redis.call('ZREVRANGE', KEYS[2], first, first + tonumber(ARGV[1]) - 1)
end
if #ids > 0 and redis.call('HEXISTS', KEYS[3], 'version') == 0 then
  return 'not-loaded'
end
local claims = {}
for _, id in ipairs(ids) do
  claims[#claims + 1] = redis.call('HGET', KEYS[1], id) or nil
end
return claims
