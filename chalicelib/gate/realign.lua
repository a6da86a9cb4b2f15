-- Brings the stock in line with the ledger, as it was surveyed when the epoch was ARGV[1]. Orders admitted
-- since have taken their tickets off the stock; adding the difference leaves that as it is.
-- Claims that the ledger has decided are in its figures: they go, and give nothing back. What buyers have is
-- counted anew: whose tickets the ledger has given back is not known here, and it alone decides the cap.
--
-- KEYS  1 stock  2 claims  3 waiting  4 epoch  5 buyers
-- ARGV  1 epoch
--       2 number of ticket types, then ticket type id, difference, by turns
--       then the decided orders' ids
-- returns 1, or 0 when claims were settled or the gate was refilled in between: survey again

if (redis.call('GET', KEYS[4]) or '0') ~= ARGV[1] or redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end

local at = 3
for _ = 1, tonumber(ARGV[2]) do
  redis.call('HINCRBY', KEYS[1], ARGV[at], ARGV[at + 1])
  at = at + 2
end

-- unpack() puts its values on a stack of 8,000: many orders go in slices
for first = at, #ARGV, 1000 do
  local last = math.min(first + 999, #ARGV)
  redis.call('HDEL', KEYS[2], unpack(ARGV, first, last))
  redis.call('ZREM', KEYS[3], unpack(ARGV, first, last))
end
redis.call('DEL', KEYS[5])
redis.call('INCR', KEYS[4])
return 1
