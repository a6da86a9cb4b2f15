-- Looks an order up, and tells what the answer is worth.
--
-- KEYS  1 claims  2 terms
-- ARGV  1 order id
-- returns the claim, or nothing; then when the event was filled, ms, or nothing when it is not loaded: a claim
--         may then be one of a decided order

local terms = redis.call('HMGET', KEYS[2], 'version', 'filledAtMs')
return { redis.call('HGET', KEYS[1], ARGV[1]), terms[1] and (terms[2] or '0') }
